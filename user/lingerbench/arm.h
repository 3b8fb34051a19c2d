/* SPDX-License-Identifier: MIT */
/* What the trials of a scenario are of, under each of its peers: a server, and one of the server's strategies. */
#ifndef LINGERBENCH_ARM_H
#define LINGERBENCH_ARM_H

#include "lingerbench/program.h"
#include "lingerbench/strategy.h"

struct arm {
	const struct program *program;
	struct strategy strategy; /* under the name that it has in the scenario */
};

#endif
