/* SPDX-License-Identifier: MIT */
#include "common/csv.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/rowfile.h"

struct csv {
	struct rowfile *file;
	bool row_begun;
};

int csv_create(struct csv **ret, const char *path)
{
	struct csv *csv = calloc(1, sizeof(*csv));
	int error;

	if (!csv)
		return -ENOMEM;
	error = rowfile_create(&csv->file, path);
	if (error)
		free(csv);
	else
		*ret = csv;
	return error;
}

static void begin_field(struct csv *csv)
{
	if (csv->row_begun)
		rowfile_bytes(csv->file, ",", 1);
	csv->row_begun = true;
}

void csv_text(struct csv *csv, const char *text)
{
	begin_field(csv);
	if (!text)
		return;
	if (!strpbrk(text, ",\"\r\n")) {
		rowfile_text(csv->file, text);
		return;
	}
	rowfile_bytes(csv->file, "\"", 1);
	for (; *text; text++) {
		if (*text == '"')
			rowfile_bytes(csv->file, "\"\"", 2);
		else /* a line end always ends a row: cutting back relies on it */
			rowfile_bytes(csv->file, *text == '\n' || *text == '\r' ? " " : text, 1);
	}
	rowfile_bytes(csv->file, "\"", 1);
}

void csv_number(struct csv *csv, uint64_t value)
{
	begin_field(csv);
	rowfile_number(csv->file, value);
}

void csv_thousandths(struct csv *csv, uint64_t value)
{
	begin_field(csv);
	rowfile_thousandths(csv->file, value);
}

void csv_decimal(struct csv *csv, double value, int digits)
{
	char text[64];

	begin_field(csv);
	snprintf(text, sizeof(text), "%.*f", digits, value);
	rowfile_text(csv->file, text);
}

void csv_unknown(struct csv *csv)
{
	begin_field(csv);
}

int csv_end_row(struct csv *csv)
{
	csv->row_begun = false;
	return rowfile_end_row(csv->file);
}

int csv_flush(struct csv *csv)
{
	return rowfile_flush(csv->file);
}

int csv_close(struct csv *csv)
{
	int error;

	if (!csv)
		return 0;
	error = rowfile_close(csv->file);
	free(csv);
	return error;
}
