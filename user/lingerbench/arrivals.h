/* SPDX-License-Identifier: MIT */
/*
 * When clients come, where that does not depend on how fast they are served: an open loop. A closed loop slows down with
 * the server and so never asks it for more than it can do; its response times leave out what the clients would have
 * waited. The schedule is of the seed alone: strategies that are compared meet the same one.
 *
 * Pure logic: the caller brings the time.
 */
#ifndef LINGERBENCH_ARRIVALS_H
#define LINGERBENCH_ARRIVALS_H

#include <stdint.h>

enum arrivals_kind {
	ARRIVALS_CLOSED,   /* no schedule: who has a response makes room for the next one */
	ARRIVALS_CONSTANT, /* the same time between any two */
	ARRIVALS_POISSON,  /* independent of each other: exponential times between them */
};

enum { ARRIVALS_KINDS = 3 };

/* "closed", "constant", "poisson" */
const char *arrivals_name(enum arrivals_kind kind);

struct arrivals {
	enum arrivals_kind kind;
	double mean_gap_ns;
	uint64_t random;
	double passed_ns; /* from the beginning until the next one is due */
	uint64_t began_ns;
};

/* The first one is due at once (constant), or after its gap. Not for ARRIVALS_CLOSED. */
void arrivals_begin(struct arrivals *arrivals, enum arrivals_kind kind, uint64_t per_s,
		    uint64_t seed, uint64_t now_ns);
/* When the next one is due. */
uint64_t arrivals_due_ns(const struct arrivals *arrivals);
/* It has come. */
void arrivals_pass(struct arrivals *arrivals);

#endif
