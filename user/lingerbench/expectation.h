/* SPDX-License-Identifier: MIT */
/* One line of [expect], as it is written: what it means depends on the whole scenario. */
#ifndef LINGERBENCH_EXPECTATION_H
#define LINGERBENCH_EXPECTATION_H

#include <stdbool.h>

#include "common/inifile.h"
#include "lingerbench/names.h"

/* SERVER/STRATEGY.PEER.COLUMN: figures of summary.csv. */
struct figure_name {
	char server[NAME_SIZE];	  /* "*", also where there is none: each that has the strategy */
	char strategy[NAME_SIZE]; /* "*": each */
	char peer[NAME_SIZE];	  /* "*": each */
	char column[48];
};

/*
 * A figure is compared with a number, or with so many times another figure, whose "*" is whatever it is in the first one:
 *	close.uploader.truncated = >= 1
 *	lingerd.late.throughput_per_s = >= 0.9 * lingerd.prompt.throughput_per_s
 *	*.late.throughput_per_s = >= 0.9 * apache-prefork/native.late.throughput_per_s
 */
struct expectation {
	struct figure_name figure;
	char operator[3];
	double limit;
	bool is_relative;
	struct figure_name other; /* if it is relative */
	struct inifile_place place;
};

/* Whether a part of a name leaves it open. */
bool expectation_is_any(const char *name);

/* Whether both are of the same figure, as it is written. */
bool expectation_is_of_same(const struct expectation *expectation, const struct expectation *other);

/* False: it is wrong, and has been complained of. */
bool expectation_take(struct expectation *ret, struct inifile_place place, const char *key,
		      const char *value);

#endif
