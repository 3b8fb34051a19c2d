/* SPDX-License-Identifier: MIT */
/*
 * In what two runs were not alike, by their run.json: versions, commit, the scenario's settings, whether they were traced, the
 * machine and its kernel with their settings. What differs may be the reason of any difference.
 */
#ifndef LINGERBENCH_CONDITIONS_H
#define LINGERBENCH_CONDITIONS_H

#include <jansson.h>
#include <stdbool.h>

/*
 * A new array of {"name", "a", "b"}, in the order of run.json; a or b is null where one of them does not have it. NULL: no
 * memory.
 */
json_t *conditions_differ(const json_t *run_a, const json_t *run_b);

/*
 * The share of the machine's CPU time that was neither the lab's nor idle: of other processes, and of other guests of its host.
 * False: run.json does not tell.
 */
bool conditions_others(const json_t *run, double *ret);

/* How many trials were planned, done, and void. */
struct conditions_trials {
	size_t planned;
	size_t done;
	size_t is_void; /* of those */
};

struct conditions_trials conditions_trials(const json_t *run);

#endif
