/* SPDX-License-Identifier: MIT */
#include "lingerbench/pages.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

static int write_page(const char *path, const void *body, size_t length)
{
	FILE *file = fopen(path, "we");
	int error = 0;

	if (!file)
		return -errno;
	if (fwrite(body, length, 1, file) != 1)
		error = -EIO;
	if (fclose(file) && !error)
		error = -errno;
	return error;
}

int pages_write(const char *folder, const struct response *response)
{
	char path[PATH_MAX];
	int error = 0;

	snprintf(path, sizeof(path), "%s/" PAGES_FOLDER, folder);
	if (mkdir(path, 0755))
		return -errno;
	for (unsigned int i = 0; i < PAGES && !error; i++) {
		snprintf(path, sizeof(path), "%s/" PAGES_FOLDER "/%u", folder, i);
		error = write_page(path, response_body(response, i), response->body_bytes);
	}
	return error;
}
