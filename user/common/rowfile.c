/* SPDX-License-Identifier: MIT */
#include "common/rowfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct rowfile {
	int fd;
	int error;    /* the first one, negative errno */
	bool regular; /* a file that can be cut back */
	size_t used;  /* bytes in buffer */
	size_t whole; /* of these, bytes of whole rows */
	size_t size;
	char *buffer;
};

enum { FLUSH_AT = 64 * 1024, DIGITS_MOST = 20 };

int rowfile_create(struct rowfile **ret, const char *path)
{
	struct stat status;
	struct rowfile *file = calloc(1, sizeof(*file));

	if (!file)
		return -ENOMEM;
	if (!strcmp(path, "-"))
		file->fd = dup(STDOUT_FILENO);
	else
		file->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (file->fd < 0) {
		int error = -errno;

		free(file);
		return error;
	}
	file->regular = !fstat(file->fd, &status) && S_ISREG(status.st_mode);
	*ret = file;
	return 0;
}

void rowfile_bytes(struct rowfile *file, const char *bytes, size_t length)
{
	if (file->used + length > file->size) {
		size_t size = (file->used + length) * 2 + FLUSH_AT;
		char *buffer = realloc(file->buffer, size);

		if (!buffer) {
			file->error = file->error ? file->error : -ENOMEM;
			return;
		}
		file->buffer = buffer;
		file->size = size;
	}
	memcpy(file->buffer + file->used, bytes, length);
	file->used += length;
}

void rowfile_text(struct rowfile *file, const char *text)
{
	rowfile_bytes(file, text, strlen(text));
}

/* Not printf(): a row of the tracer has some twenty numbers, and there may be 50,000 rows a second. */
void rowfile_number(struct rowfile *file, uint64_t value)
{
	char digits[DIGITS_MOST];
	char *first = digits + sizeof(digits);

	do {
		*--first = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	rowfile_bytes(file, first, (size_t)(digits + sizeof(digits) - first));
}

void rowfile_thousandths(struct rowfile *file, uint64_t value)
{
	unsigned int rest = (unsigned int)(value % 1000);
	const char decimals[] = { '.', (char)('0' + rest / 100), (char)('0' + rest / 10 % 10),
				  (char)('0' + rest % 10) };

	rowfile_number(file, value / 1000);
	rowfile_bytes(file, decimals, sizeof(decimals));
}

/* Cuts the file back to where it ended before a write that did not get all its bytes out. */
static void cut_back(struct rowfile *file, size_t written)
{
	off_t end = file->regular && written ? lseek(file->fd, 0, SEEK_CUR) : -1;

	if (end >= 0 && !ftruncate(file->fd, end - (off_t)written))
		lseek(file->fd, end - (off_t)written, SEEK_SET);
}

/* Bytes up to the last row that lies whole within the first `length` bytes of the buffer. */
static size_t whole_rows(const struct rowfile *file, size_t length)
{
	const char *end = length ? memrchr(file->buffer, '\n', length) : NULL;

	return end ? (size_t)(end - file->buffer) + 1 : 0;
}

int rowfile_flush(struct rowfile *file)
{
	size_t written = 0;

	while (!file->error && written < file->whole) {
		ssize_t n = write(file->fd, file->buffer + written, file->whole - written);

		if (n >= 0) {
			written += (size_t)n;
		} else if (errno != EINTR) {
			file->error = -errno;
			cut_back(file, written - whole_rows(file, written));
		}
	}
	if (file->error)
		return file->error;
	if (!file->whole)
		return 0;
	file->used -= file->whole;
	memmove(file->buffer, file->buffer + file->whole, file->used);
	file->whole = 0;
	return 0;
}

int rowfile_end_row(struct rowfile *file)
{
	rowfile_bytes(file, "\n", 1);
	if (file->error) {
		file->used = file->whole;
		return file->error;
	}
	file->whole = file->used;
	return file->whole >= FLUSH_AT ? rowfile_flush(file) : 0;
}

int rowfile_close(struct rowfile *file)
{
	int error;

	if (!file)
		return 0;
	error = rowfile_flush(file);
	if (close(file->fd) && !error)
		error = -errno;
	free(file->buffer);
	free(file);
	return error;
}
