/* SPDX-License-Identifier: MIT */
/* Processes and all that they have forked, and the CPU time they used. */
#ifndef LINGERBENCH_PROCTREE_H
#define LINGERBENCH_PROCTREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { PROCTREE_MAX = 1024 };

/* A zeroed one is empty. */
struct proctree {
	size_t count;
	struct {
		pid_t pid;
		bool cpu_known;
		uint64_t cpu_ns; /* user and system, since it began */
	} processes[PROCTREE_MAX];
};

/* Adds the process, its children, theirs and so on, as far as there is room. */
void proctree_add(struct proctree *tree, pid_t root);

/*
 * What they used from one look to a later one. Those that came in between count from their beginning. False: one
 * of them ended in between; *ret is untouched.
 */
bool proctree_cpu_ns(const struct proctree *before, const struct proctree *after, uint64_t *ret);

#endif
