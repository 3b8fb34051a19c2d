/* SPDX-License-Identifier: MIT */
#include "lingerbench/program.h"

const struct program program_builtin = {
	.name = "builtin",
	.summary = "the lab's own pool of processes",
	.strategies = strategies,
};
