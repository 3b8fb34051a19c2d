/* SPDX-License-Identifier: MIT */
/* An arm on the stage: a server with a strategy, and where that takes it a lingerd: their processes from start to end. */
#ifndef LINGERBENCH_SERVING_H
#define LINGERBENCH_SERVING_H

#include <limits.h>
#include <stddef.h>
#include <sys/types.h>

#include "lingerbench/arm.h"
#include "lingerbench/probe.h"
#include "lingerbench/proctree.h"
#include "lingerbench/program.h"
#include "lingerbench/rows.h"
#include "lingerbench/stage.h"

struct serving {
	const struct stage *stage;
	const struct arm *arm;
	struct strategy_settings settings;
	pid_t daemon; /* 0: none */
	/* Either workers of our own, or a program with its folder. */
	int listener; /* of the workers; -1: none */
	size_t worker_count;
	pid_t *workers;
	pid_t program;
	struct probe probe; /* by which the program has answered */
	struct program_setup setup;
	char folder[PATH_MAX];
	char lingerd_socket[PATH_MAX];
};

/*
 * Starts them, and waits until a program answers; rows are for our own workers to write. 0, or a negative errno that has been logged;
 * -EINTR: the stage was interrupted. To be stopped in any case.
 */
int serving_start(struct serving *serving, const struct stage *stage, const struct arm *arm,
		  struct trial_rows *rows);

/* Once more, after it has ended. 0, or a negative errno that has been logged. */
int serving_start_lingerd(struct serving *serving);

/* 0; or -ECHILD when a process has ended that should serve, which has been logged. */
int serving_check(const struct serving *serving);

/* Those who serve, and what they have used so far, their start included. */
void serving_look(const struct serving *serving, struct proctree *ret);

/* Ends them. How lingerd ended, as waitpid(2) tells it; 0: in order, or there was none. */
int serving_stop(struct serving *serving);

#endif
