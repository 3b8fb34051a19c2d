/* SPDX-License-Identifier: MIT */
/* The scenario's [expect] held against summary.csv. */
#ifndef LINGERBENCH_JUDGING_H
#define LINGERBENCH_JUDGING_H

#include <stddef.h>

#include "lingerbench/csvtable.h"
#include "lingerbench/scenario.h"

struct judgement {
	size_t judged;
	size_t broken; /* of these */
	size_t idle;   /* not judged: of what was not run, or not traced */
};

/*
 * Holds the expectations against the summary; each that does not hold is logged. A figure that is
 * not known does not hold. Expectations of a server, strategy or peer that the scenario does not run are
 * not judged, nor those of the tracer where that is switched off.
 */
struct judgement judging_check(const struct csvtable *summary, const struct scenario *scenario);

#endif
