/* SPDX-License-Identifier: MIT */
/*
 * [strategies] added-hold.STRATEGY = TIME: the worker sleeps so long between the response and the strategy, in all trials of
 * that strategy. A difference of known size, by which the lab's own sensitivity can be tried; beside an A/A arm
 * (NAME_again) also within one run.
 */
#ifndef LINGERBENCH_ADDED_HOLD_H
#define LINGERBENCH_ADDED_HOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/inifile.h"

#define ADDED_HOLD "added-hold."

enum { ADDED_HOLDS_MAX = 16 };

struct added_holds {
	struct added_hold {
		char strategy[32];
		uint64_t ns;
		struct inifile_place place;
	} list[ADDED_HOLDS_MAX];
	size_t count;
};

/* The key without ADDED_HOLD, and its value; the last one of a strategy counts. False: wrong, and complained of. */
bool added_hold_take(struct added_holds *holds, struct inifile_place place, const char *strategy,
		     const char *value);

/* 0: none. */
uint64_t added_hold_of(const struct added_holds *holds, const char *strategy);

/* Sleeps so long; the kernel's own delay in waking comes on top, and is part of the hold. 0: returns at once. */
void added_hold_wait(uint64_t ns);

#endif
