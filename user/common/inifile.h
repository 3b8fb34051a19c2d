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
	int line; /* 0: none */
	/*
	 * Takes a complaint of a line, "file:line: text". NULL: it is logged as an error. They come in the order
	 * of lines, but for one of bad syntax, which inih tells last.
	 */
	void (*report)(void *context, int line, const char *complaint);
	void *context;
};

/*
 * One "key = value". False: the line is wrong, and the callee has said so (inifile_complain());
 * reading goes on, so that one pass names every mistake.
 */
typedef bool inifile_key_fn(void *context, struct inifile_place place, const char *section,
			    const char *key, const char *value);

/*
 * Reads the file place->file. report, if there is one, and on_key get the same context, place->context.
 * 0: every line was taken. -EINVAL: some were not, each was complained of. Otherwise the negative errno of
 * opening or reading the file, without a complaint.
 */
int inifile_read(struct inifile_place place, inifile_key_fn *on_key);

/* Says what is wrong there. Returns false, for `return inifile_complain(...)`. */
__attribute__((format(printf, 2, 3))) bool inifile_complain(struct inifile_place place,
							    const char *format, ...);

#endif
