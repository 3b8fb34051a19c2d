/* SPDX-License-Identifier: MIT */
/* A scenario expanded to its trials, in the order they run. */
#ifndef LINGERBENCH_PLAN_H
#define LINGERBENCH_PLAN_H

#include "lingerbench/trial.h"

struct plan {
	struct trial *trials;
	size_t count;
	size_t planned; /* more than count: the run was cut short */
};

/*
 * Blocks one after the other; in each, every arm meets every peer once, in an order that the
 * scenario's seed decides. 0 or -ENOMEM.
 */
int plan_make(struct plan *ret, const struct scenario *scenario);
/* Forgets all but the first count trials. */
void plan_cut(struct plan *plan, size_t count);
/* Frees the rows of the trials, too. */
void plan_free(struct plan *plan);

/*
 * Seconds that the run will take, about: the peers' own pauses. A strategy that waits for the peer in
 * the worker is counted with the workers, any other with the clients.
 */
double plan_estimate_s(const struct plan *plan, const struct scenario *scenario);
/* The same for the trials from that one on. */
double plan_estimate_rest_s(const struct plan *plan, const struct scenario *scenario, size_t from);

/* The trials and the estimate, on stdout. */
void plan_print(const struct plan *plan, const struct scenario *scenario);

/*
 * Whether there are local ports for so many clients in this network namespace. 0 or -EADDRNOTAVAIL: the arithmetic has
 * been logged.
 */
int plan_check_ports(const struct scenario *scenario);

/*
 * Before anything is made. 0; or a negative errno when no process of this machine can have so many clients at once, for lack of descriptors or
 * of local ports: the arithmetic has been logged.
 */
int plan_check_limits(const struct scenario *scenario);

#endif
