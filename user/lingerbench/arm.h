/* SPDX-License-Identifier: MIT */
/* What the trials of a scenario are of, under each of its peers: a server, and one of the server's strategies. */
#ifndef LINGERBENCH_ARM_H
#define LINGERBENCH_ARM_H

#include <stdbool.h>

#include "lingerbench/names.h"
#include "lingerbench/program.h"
#include "lingerbench/strategy.h"

struct arm {
	const struct program *program;
	struct strategy strategy; /* under the name that it has in the scenario */
	char label[2 *
		   NAME_SIZE]; /* for people: "lingerd", among several servers "nginx/lingerd" */
};

/*
 * The server with its strategy of that name, which may have a suffix: _again, _untraced, _killed, _stopped. The arm keeps
 * the name, and has no label yet. False: the server has none.
 */
bool arm_make(struct arm *ret, const struct program *program, const char *name);

#endif
