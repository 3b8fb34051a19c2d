/* SPDX-License-Identifier: MIT */
/* Names that have been complained of: what [strategies] or [peers] has wrong is often in [expect], too. */
#ifndef LINGERBENCH_MISTAKES_H
#define LINGERBENCH_MISTAKES_H

#include <stdbool.h>
#include <stddef.h>

enum { MISTAKES_MAX = 256 };

struct mistakes {
	const char *names[MISTAKES_MAX]; /* which live as long as this */
	size_t count;
};

/* What a scenario has wrong, by what the names are of. */
struct scenario_mistakes {
	struct mistakes servers, strategies, peers;
};

/* Whether it has not been here before; it has from now on. */
bool mistakes_is_new(struct mistakes *mistakes, const char *name);

#endif
