/* SPDX-License-Identifier: MIT */
#include "common/csv.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct csv {
	int fd;
	int error;    /* the first one, negative errno */
	bool regular; /* a file that can be cut back */
	bool row_begun;
	size_t used;  /* bytes in buffer */
	size_t whole; /* of these, bytes of whole rows */
	size_t size;
	char *buffer;
};

enum { FLUSH_AT = 64 * 1024 };

int csv_create(struct csv **ret, const char *path)
{
	struct stat status;
	struct csv *csv = calloc(1, sizeof(*csv));

	if (!csv)
		return -ENOMEM;
	if (!strcmp(path, "-"))
		csv->fd = dup(STDOUT_FILENO);
	else
		csv->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (csv->fd < 0) {
		int error = -errno;

		free(csv);
		return error;
	}
	csv->regular = !fstat(csv->fd, &status) && S_ISREG(status.st_mode);
	*ret = csv;
	return 0;
}

static void append(struct csv *csv, const char *bytes, size_t length)
{
	if (csv->used + length > csv->size) {
		size_t size = (csv->used + length) * 2 + FLUSH_AT;
		char *buffer = realloc(csv->buffer, size);

		if (!buffer) {
			csv->error = csv->error ? csv->error : -ENOMEM;
			return;
		}
		csv->buffer = buffer;
		csv->size = size;
	}
	memcpy(csv->buffer + csv->used, bytes, length);
	csv->used += length;
}

static void begin_field(struct csv *csv)
{
	if (csv->row_begun)
		append(csv, ",", 1);
	csv->row_begun = true;
}

__attribute__((format(printf, 2, 3))) static void append_formatted(struct csv *csv,
								   const char *format, ...)
{
	char text[64];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	append(csv, text, strlen(text));
}

void csv_text(struct csv *csv, const char *text)
{
	begin_field(csv);
	if (!text)
		return;
	if (!strpbrk(text, ",\"\r\n")) {
		append(csv, text, strlen(text));
		return;
	}
	append(csv, "\"", 1);
	for (; *text; text++) {
		if (*text == '"')
			append(csv, "\"\"", 2);
		else /* a line end always ends a row: cutting back relies on it */
			append(csv, *text == '\n' || *text == '\r' ? " " : text, 1);
	}
	append(csv, "\"", 1);
}

void csv_number(struct csv *csv, uint64_t value)
{
	begin_field(csv);
	append_formatted(csv, "%" PRIu64, value);
}

void csv_decimal(struct csv *csv, double value, int digits)
{
	begin_field(csv);
	append_formatted(csv, "%.*f", digits, value);
}

void csv_unknown(struct csv *csv)
{
	begin_field(csv);
}

/* Cuts the file back to where it ended before a write that did not get all its bytes out. */
static void cut_back(struct csv *csv, size_t written)
{
	off_t end = csv->regular && written ? lseek(csv->fd, 0, SEEK_CUR) : -1;

	if (end >= 0 && !ftruncate(csv->fd, end - (off_t)written))
		lseek(csv->fd, end - (off_t)written, SEEK_SET);
}

/* Bytes up to the last row that lies whole within the first `length` bytes of the buffer. */
static size_t whole_rows(const struct csv *csv, size_t length)
{
	const char *end = length ? memrchr(csv->buffer, '\n', length) : NULL;

	return end ? (size_t)(end - csv->buffer) + 1 : 0;
}

int csv_flush(struct csv *csv)
{
	size_t written = 0;

	while (!csv->error && written < csv->whole) {
		ssize_t n = write(csv->fd, csv->buffer + written, csv->whole - written);

		if (n >= 0) {
			written += (size_t)n;
		} else if (errno != EINTR) {
			csv->error = -errno;
			cut_back(csv, written - whole_rows(csv, written));
		}
	}
	if (csv->error)
		return csv->error;
	csv->used -= csv->whole;
	memmove(csv->buffer, csv->buffer + csv->whole, csv->used);
	csv->whole = 0;
	return 0;
}

int csv_end_row(struct csv *csv)
{
	append(csv, "\n", 1);
	csv->row_begun = false;
	if (csv->error) {
		csv->used = csv->whole;
		return csv->error;
	}
	csv->whole = csv->used;
	return csv->whole >= FLUSH_AT ? csv_flush(csv) : 0;
}

int csv_close(struct csv *csv)
{
	int error;

	if (!csv)
		return 0;
	error = csv_flush(csv);
	if (close(csv->fd) && !error)
		error = -errno;
	free(csv->buffer);
	free(csv);
	return error;
}
