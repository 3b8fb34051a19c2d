/* SPDX-License-Identifier: MIT */
/*
 * A file of rows that end in "\n", whatever is in them. A row reaches the file whole or not at all:
 * when the disk is full, the file is cut back to its last whole row and every later call answers
 * the same error. (A pipe or a terminal cannot be cut back.)
 */
#ifndef COMMON_ROWFILE_H
#define COMMON_ROWFILE_H

#include <stddef.h>
#include <stdint.h>

struct rowfile;

/* Creates (or truncates) the file, "-" is stdout. 0, or a negative errno of open(2) or -ENOMEM. */
int rowfile_create(struct rowfile **ret, const char *path);

/* Each adds to the row under way. The caller adds no '\n' of its own. */
void rowfile_bytes(struct rowfile *file, const char *bytes, size_t length);
void rowfile_text(struct rowfile *file, const char *text);
void rowfile_number(struct rowfile *file, uint64_t value);
/* value / 1000, exact: three decimals. */
void rowfile_thousandths(struct rowfile *file, uint64_t value);

/* Ends the row. 0, or the first error (negative errno) that met this file; may block in write(2). */
int rowfile_end_row(struct rowfile *file);

/* Hands all whole rows to the kernel. Errors as rowfile_end_row(). */
int rowfile_flush(struct rowfile *file);

/*
 * Flushes, closes, frees; drops a row that was not ended. Errors as rowfile_end_row(). NULL is
 * allowed.
 */
int rowfile_close(struct rowfile *file);

#endif
