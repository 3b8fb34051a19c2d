/* SPDX-License-Identifier: MIT */
#include "tracer/trace_csv.h"

#include "tracer/trace_row.h"

static void text_field(void *to, const char *name, const char *value)
{
	(void)name;
	csv_text(to, value);
}

static void number_field(void *to, const char *name, uint64_t value)
{
	(void)name;
	csv_number(to, value);
}

static void thousandths_field(void *to, const char *name, uint64_t value)
{
	(void)name;
	csv_thousandths(to, value);
}

static void unknown_field(void *to, const char *name)
{
	(void)name;
	csv_unknown(to);
}

int trace_csv_row(struct csv *csv, const struct close_record *record)
{
	static const struct trace_row_sink sink = { text_field, number_field, thousandths_field,
						    unknown_field };

	trace_row_write(record, &sink, csv);
	return csv_end_row(csv);
}

static void text_name(void *to, const char *name, const char *value)
{
	(void)value;
	csv_text(to, name);
}

static void number_name(void *to, const char *name, uint64_t value)
{
	(void)value;
	csv_text(to, name);
}

static void unknown_name(void *to, const char *name)
{
	csv_text(to, name);
}

int trace_csv_header(struct csv *csv)
{
	static const struct trace_row_sink sink = { text_name, number_name, number_name,
						    unknown_name };
	static const struct close_record any;

	trace_row_write(&any, &sink, csv);
	return csv_end_row(csv);
}
