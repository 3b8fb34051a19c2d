/* SPDX-License-Identifier: MIT */
/*
 * A CSV file read back, columns by name: what is printed and drawn comes from the files that were
 * written, not from the memory of the run that wrote them.
 */
#ifndef LINGERBENCH_CSVTABLE_H
#define LINGERBENCH_CSVTABLE_H

#include <stdbool.h>
#include <stddef.h>

struct csvtable {
	char *text; /* the file; the cells point into it */
	size_t column_count;
	size_t row_count; /* without the head */
	const char **cells;
};

/*
 * Reads the file; where there is none, PATH.gz. 0 or a negative errno; -EBADMSG: a row has more or fewer fields than the head, or
 * what was compressed ends in the middle.
 */
int csvtable_read(struct csvtable *ret, const char *path);
void csvtable_free(struct csvtable *table);

/* "" where the file has no such column. */
const char *csvtable_text(const struct csvtable *table, size_t row, const char *column);

/* The same of many rows: the column is looked for once. */
size_t csvtable_column(const struct csvtable *table, const char *name);
const char *csvtable_cell(const struct csvtable *table, size_t row, size_t column);

/* Of a cell. False: empty or not a number. */
bool csvtable_parse(const char *text, double *ret);

/* False: empty, not a number, or no such column. */
bool csvtable_number(const struct csvtable *table, size_t row, const char *column, double *ret);

#endif
