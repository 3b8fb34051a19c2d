/* SPDX-License-Identifier: MIT */
/* A scenario expanded to its trials, in the order they run. */
#ifndef LINGERBENCH_PLAN_H
#define LINGERBENCH_PLAN_H

#include "lingerbench/trial.h"

struct plan {
	struct trial *trials;
	size_t count;
};

/*
 * Blocks one after the other; in each, every strategy meets every peer once, in an order that the
 * scenario's seed decides. 0 or -ENOMEM.
 */
int plan_make(struct plan *ret, const struct scenario *scenario);
/* Frees the rows of the trials, too. */
void plan_free(struct plan *plan);

/*
 * Seconds that the run will take, about: the peers' own pauses. A strategy that waits for the peer in
 * the worker is counted with the workers, any other with the clients.
 */
double plan_estimate_s(const struct plan *plan, const struct scenario *scenario);

/* The trials and the estimate, on stdout. */
void plan_print(const struct plan *plan, const struct scenario *scenario);

/* 0; or -EMFILE when this process cannot have so many clients at once: the arithmetic has been
 * logged. */
int plan_check_limits(const struct scenario *scenario);

#endif
