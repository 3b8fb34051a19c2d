/* SPDX-License-Identifier: MIT */
#include "lingerbench/csvtable.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { PIECE_MOST = 1 << 30 };

/* Of a file that gzip has written, and of any other as it is. */
static int read_stream(gzFile file, char **ret)
{
	size_t size = 0, room = 0;
	char *text = NULL;
	int n;

	for (;;) {
		if (size == room) {
			char *larger = realloc(text, room * 2 + 65536 + 1);

			if (!larger) {
				free(text);
				return -ENOMEM;
			}
			text = larger;
			room = room * 2 + 65536;
		}
		/* In pieces that zlib can count. */
		n = gzread(file, text + size,
			   (unsigned int)(room - size < PIECE_MOST ? room - size : PIECE_MOST));
		if (n <= 0)
			break;
		size += (size_t)n;
	}
	text[size] = '\0';
	*ret = text;
	return n < 0 ? -EIO : 0;
}

static gzFile open_either(const char *path)
{
	char compressed[PATH_MAX];
	gzFile file = gzopen(path, "rbe");

	if (!file && errno == ENOENT &&
	    snprintf(compressed, sizeof(compressed), "%s.gz", path) < PATH_MAX)
		file = gzopen(compressed, "rbe");
	return file;
}

static int read_file(const char *path, char **ret)
{
	gzFile file;
	int error;

	errno = 0;
	file = open_either(path);
	if (!file)
		return errno ? -errno : -ENOMEM;
	error = read_stream(file, ret);
	/* Z_BUF_ERROR: it ends in the middle. */
	if (gzclose(file) != Z_OK && !error)
		error = -EBADMSG;
	return error;
}

/* Cuts one field off *rest, in place. *ret_last: it ended its row. */
static const char *take_field(char **rest, bool *ret_last)
{
	char *from = *rest, *to = *rest;
	const char *field = *rest;
	bool quoted = *from == '"';

	if (quoted)
		field = to = ++from;
	for (; *from && (quoted || (*from != ',' && *from != '\n')); from++) {
		if (quoted && *from == '"' && *++from != '"') {
			quoted = false;
			from--;
			continue;
		}
		*to++ = *from;
	}
	*ret_last = *from != ',';
	*rest = *from ? from + 1 : from;
	*to = '\0';
	return field;
}

static int append_cell(struct csvtable *table, size_t *count, size_t *room, const char *cell)
{
	if (*count == *room) {
		size_t larger = *room ? *room * 2 : 256;
		const char **cells = realloc(table->cells, larger * sizeof(*cells));

		if (!cells)
			return -ENOMEM;
		table->cells = cells;
		*room = larger;
	}
	table->cells[(*count)++] = cell;
	return 0;
}

static int split(struct csvtable *table)
{
	size_t count = 0, room = 0, in_row = 0;
	char *rest = table->text;

	while (*rest) {
		bool last;
		int error = append_cell(table, &count, &room, take_field(&rest, &last));

		if (error)
			return error;
		in_row++;
		if (!last)
			continue;
		if (!table->column_count)
			table->column_count = in_row;
		if (in_row != table->column_count)
			return -EBADMSG;
		in_row = 0;
	}
	if (!count || in_row)
		return -EBADMSG;
	table->row_count = count / table->column_count - 1;
	return 0;
}

int csvtable_read(struct csvtable *ret, const char *path)
{
	struct csvtable table = { 0 };
	int error = read_file(path, &table.text);

	if (!table.text)
		return error;
	if (!error)
		error = split(&table);
	if (error)
		csvtable_free(&table);
	else
		*ret = table;
	return error;
}

void csvtable_free(struct csvtable *table)
{
	free(table->cells);
	free(table->text);
	*table = (struct csvtable){ 0 };
}

size_t csvtable_column(const struct csvtable *table, const char *name)
{
	size_t i = 0;

	while (i < table->column_count && strcmp(table->cells[i], name) != 0)
		i++;
	return i;
}

const char *csvtable_cell(const struct csvtable *table, size_t row, size_t column)
{
	return column < table->column_count ? table->cells[(row + 1) * table->column_count + column]
					    : "";
}

const char *csvtable_text(const struct csvtable *table, size_t row, const char *column)
{
	return csvtable_cell(table, row, csvtable_column(table, column));
}

bool csvtable_parse(const char *text, double *ret)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || *end)
		return false;
	*ret = value;
	return true;
}

bool csvtable_number(const struct csvtable *table, size_t row, const char *column, double *ret)
{
	return csvtable_parse(csvtable_text(table, row, column), ret);
}
