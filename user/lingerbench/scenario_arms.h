/* SPDX-License-Identifier: MIT */
/* The servers of a scenario and what they have of its strategies, once all lines are read. */
#ifndef LINGERBENCH_SCENARIO_ARMS_H
#define LINGERBENCH_SCENARIO_ARMS_H

#include <stdbool.h>
#include <stddef.h>

#include "lingerbench/mistakes.h"
#include "lingerbench/scenario.h"

/*
 * Turns the names of servers and strategies into arms: each server with those of the strategies that it has. What --set has
 * left without a partner is left out, too: so `--set server.program=NAME` is enough to narrow a scenario to one of its servers.
 * False: an unknown server or strategy, or one that no other of them fits; complained of, and in *mistakes.
 */
bool scenario_arms_make(struct scenario *scenario, struct scenario_mistakes *mistakes);

/* Whether the scenario runs this server, or would without --set. */
bool scenario_knows_server(const struct scenario *scenario, const struct program *program);

/* Whether such a server has a strategy of that name. Of a server that nobody knows it is supposed. */
bool scenario_knows_strategy(const struct scenario *scenario, const char *name);

#endif
