/* SPDX-License-Identifier: MIT */
/*
 * Writes CSV (RFC 4180, "\n" line ends) row by row. A row reaches the file whole or not at all, as
 * common/rowfile.h says.
 */
#ifndef COMMON_CSV_H
#define COMMON_CSV_H

#include <stdint.h>

struct csv;

/* Creates (or truncates) the file, "-" is stdout. 0, or a negative errno of open(2) or -ENOMEM. */
int csv_create(struct csv **ret, const char *path);

/* Each adds one field to the row under way. A NULL text and csv_unknown() give an empty field: not
 * known. */
void csv_text(struct csv *csv, const char *text);
void csv_number(struct csv *csv, uint64_t value);
void csv_decimal(struct csv *csv, double value, int digits);
/* value / 1000, exact: three decimals. */
void csv_thousandths(struct csv *csv, uint64_t value);
void csv_unknown(struct csv *csv);

/* Ends the row. 0, or the first error (negative errno) that met this file; may block in write(2).
 */
int csv_end_row(struct csv *csv);

/* Hands all whole rows to the kernel. Errors as csv_end_row(). */
int csv_flush(struct csv *csv);

/* Flushes, closes, frees; drops a row that was not ended. Errors as csv_end_row(). NULL is allowed.
 */
int csv_close(struct csv *csv);

#endif
