/* SPDX-License-Identifier: MIT */
#include "lingerbench/locate.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Debian's folder of this architecture, by the makefile; elsewhere there is none. */
#ifndef LINGER_MULTIARCH_LIB
#define LINGER_MULTIARCH_LIB "../lib"
#endif

/* The folder that this program lies in, without a slash at its end. */
static int own_folder(char folder[PATH_MAX])
{
	ssize_t length = readlink("/proc/self/exe", folder, PATH_MAX - 1);

	if (length < 0)
		return -errno;
	folder[length] = '\0';
	*strrchr(folder, '/') = '\0';
	return 0;
}

/* The first of the folders, relative to our own, in which the name is accessible so. */
static int find(const char *const folders[], size_t count, const char *name, int mode,
		char ret_path[PATH_MAX])
{
	char own[PATH_MAX];
	int error = own_folder(own);

	for (size_t i = 0; i < count && !error; i++) {
		if (snprintf(ret_path, PATH_MAX, "%s/%s/%s", own, folders[i], name) >= PATH_MAX)
			return -ENAMETOOLONG;
		if (!access(ret_path, mode))
			return 0;
	}
	return error ? error : -ENOENT;
}

int locate_program(const char *name, char ret_path[PATH_MAX])
{
	static const char *const folders[] = { ".", "../sbin" };

	return find(folders, 2, name, X_OK, ret_path);
}

int locate_library(const char *name, char ret_path[PATH_MAX])
{
	/* build/, PREFIX/lib/ and its folder of this architecture; Debian's Apache looks below
	 * /usr alone, which is PREFIX or beside it */
	static const char *const folders[] = { ".", "../lib", LINGER_MULTIARCH_LIB,
					       "../lib/apache2/modules",
					       "../../lib/apache2/modules" };

	return find(folders, sizeof(folders) / sizeof(*folders), name, R_OK, ret_path);
}

int locate_scenarios(char ret_path[PATH_MAX])
{
	/* build/, build/sanitized/, PREFIX/bin/ */
	static const char *const folders[] = { "..", "../..", "../share/lingerd" };

	if (!access("scenarios", R_OK)) {
		strcpy(ret_path, "scenarios");
		return 0;
	}
	return find(folders, 3, "scenarios", R_OK, ret_path);
}
