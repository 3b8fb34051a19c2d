/* SPDX-License-Identifier: MIT */
/*
 * Reads an INI file (libinih) and tells each key with the line it stands on. inih itself neither
 * tells the line nor refuses one that is too long for it; this does both.
 */
#ifndef COMMON_INIFILE_H
#define COMMON_INIFILE_H

#include <stdbool.h>

struct inifile_place {
	const char *file;
	int line;
};

/*
 * One "key = value". False: the line is wrong, and the callee has said so (inifile_complain());
 * reading goes on, so that one pass names every mistake.
 */
typedef bool inifile_key_fn(void *context, struct inifile_place place, const char *section,
			    const char *key, const char *value);

/*
 * 0: every line was taken. -EINVAL: some were not, each was named on stderr. Otherwise the negative
 * errno of opening or reading the file; nothing was said then.
 */
int inifile_read(const char *path, inifile_key_fn *on_key, void *context);

/* Logs "file:line: text" as an error. Returns false, for `return inifile_complain(...)`. */
__attribute__((format(printf, 2, 3))) bool inifile_complain(struct inifile_place place,
							    const char *format, ...);

#endif
