/* SPDX-License-Identifier: MIT */
/* A list of names in a scenario, as "use = close lingerd": each once, in their order. */
#ifndef LINGERBENCH_NAMES_H
#define LINGERBENCH_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "common/inifile.h"

enum { NAMES_MAX = 32, NAME_SIZE = 32 };

struct names {
	struct name {
		char text[NAME_SIZE];
		struct inifile_place place;
	} list[NAMES_MAX];
	size_t count;
	struct inifile_place
		place; /* where names were given last, if only none; file NULL: nowhere */
};

/*
 * Adds the words of a value; a continued line is another value. kind is what they are names of, for complaints. False:
 * one of them is wrong, and has been complained of.
 */
bool names_take(struct names *names, const char *kind, struct inifile_place place,
		const char *value);

#endif
