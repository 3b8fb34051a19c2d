/* SPDX-License-Identifier: MIT */
#include "tracer/trace_json.h"

#include <string.h>

#include "tracer/trace_row.h"

/* By hand, since a library that builds each object in memory first takes several times as long. */
struct line {
	struct rowfile *file;
	const char *before; /* what stands before the next field */
};

static void put_name(struct line *line, const char *name)
{
	rowfile_text(line->file, line->before);
	rowfile_text(line->file, name);
	rowfile_bytes(line->file, "\":", 2);
	line->before = ",\"";
}

static void put_unknown(void *to, const char *name)
{
	struct line *line = to;

	put_name(line, name);
	rowfile_bytes(line->file, "null", 4);
}

/* It is printable: there are no control characters in it that would have to be escaped. */
static void put_text(void *to, const char *name, const char *value)
{
	struct line *line = to;

	if (!value) {
		put_unknown(to, name);
		return;
	}
	put_name(line, name);
	rowfile_bytes(line->file, "\"", 1);
	for (;;) {
		size_t plain = strcspn(value, "\"\\");

		rowfile_bytes(line->file, value, plain);
		value += plain;
		if (!*value)
			break;
		rowfile_bytes(line->file, "\\", 1);
		rowfile_bytes(line->file, value++, 1);
	}
	rowfile_bytes(line->file, "\"", 1);
}

static void put_number(void *to, const char *name, uint64_t value)
{
	struct line *line = to;

	put_name(line, name);
	rowfile_number(line->file, value);
}

static void put_thousandths(void *to, const char *name, uint64_t value)
{
	struct line *line = to;

	put_name(line, name);
	rowfile_thousandths(line->file, value);
}

int trace_json_row(struct rowfile *file, const struct close_record *record)
{
	static const struct trace_row_sink sink = { put_text, put_number, put_thousandths,
						    put_unknown };
	struct line line = { file, "{\"" };

	trace_row_write(record, &sink, &line);
	rowfile_bytes(file, "}", 1);
	return rowfile_end_row(file);
}
