/* SPDX-License-Identifier: MIT */
/* What only the whole of a scenario can tell, once all lines are read. */
#ifndef LINGERBENCH_SCENARIO_CHECK_H
#define LINGERBENCH_SCENARIO_CHECK_H

#include <stdbool.h>

#include "lingerbench/scenario.h"

/*
 * Turns the names of servers, strategies and peers into what they mean. False: something is wrong or missing, and each
 * mistake has been complained of once.
 */
bool scenario_check(struct scenario *scenario);

/* NULL: neither the file nor the defaults have a peer of that name. */
struct peer *scenario_find_peer(struct scenario *scenario, const char *name);

#endif
