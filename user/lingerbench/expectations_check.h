/* SPDX-License-Identifier: MIT */
/* Whether the lines of [expect] are about what the scenario has. */
#ifndef LINGERBENCH_EXPECTATIONS_CHECK_H
#define LINGERBENCH_EXPECTATIONS_CHECK_H

#include <stdbool.h>

#include "lingerbench/mistakes.h"
#include "lingerbench/scenario.h"

/*
 * Servers, strategies and peers of a scenario whose arms have been made: in use or not, since lists can be narrowed with
 * --set. False: one is unknown or does not fit, and has been complained of unless it is in *mistakes.
 */
bool expectations_check(struct scenario *scenario, struct scenario_mistakes *mistakes);

#endif
