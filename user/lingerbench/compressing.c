/* SPDX-License-Identifier: MIT */
#include "lingerbench/compressing.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum { AUTO_BYTES = 8 << 20, PIECE = 64 * 1024 };

int compressing_parse(const char *text, enum compressing *ret)
{
	static const char *const names[] = {
		[COMPRESSING_AUTO] = "auto", [COMPRESSING_YES] = "yes", [COMPRESSING_NO] = "no"
	};

	for (int i = COMPRESSING_AUTO; i <= COMPRESSING_NO; i++) {
		if (strcmp(text, names[i]))
			continue;
		*ret = (enum compressing)i;
		return 0;
	}
	return -EINVAL;
}

static int error_of_zlib(int status)
{
	if (status == Z_ERRNO)
		return errno ? -errno : -EIO;
	return status == Z_MEM_ERROR ? -ENOMEM : -EIO;
}

static int copy(FILE *from, gzFile to)
{
	char piece[PIECE];
	size_t n;
	int status;

	errno = 0;
	while ((n = fread(piece, 1, sizeof(piece), from))) {
		if (gzwrite(to, piece, (unsigned int)n) > 0)
			continue;
		gzerror(to, &status);
		return error_of_zlib(status);
	}
	return ferror(from) ? -EIO : 0;
}

static int compress_to(const char *path, const char *compressed)
{
	FILE *from = fopen(path, "re");
	gzFile to;
	int error, status;

	if (!from)
		return -errno;
	errno = 0;
	to = gzopen(compressed, "wbe");
	if (!to) {
		error = errno ? -errno : -ENOMEM;
		fclose(from);
		return error;
	}
	error = copy(from, to);
	fclose(from);
	/* What the disk has no room for may show only now. */
	errno = 0;
	status = gzclose(to);
	if (!error && status != Z_OK)
		error = error_of_zlib(status);
	return error;
}

int compressing_file(const char *path, enum compressing how)
{
	char compressed[PATH_MAX];
	struct stat status;
	int error;

	if (stat(path, &status))
		return -errno;
	if (how == COMPRESSING_NO || (how == COMPRESSING_AUTO && status.st_size < AUTO_BYTES))
		return 0;
	if (snprintf(compressed, sizeof(compressed), "%s.gz", path) >= PATH_MAX)
		return -ENAMETOOLONG;
	error = compress_to(path, compressed);
	if (!error && unlink(path))
		error = -errno;
	return error;
}
