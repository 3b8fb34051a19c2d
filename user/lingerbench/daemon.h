/* SPDX-License-Identifier: MIT */
/* lingerd, started by the lab for one trial, on a socket of its own. */
#ifndef LINGERBENCH_DAEMON_H
#define LINGERBENCH_DAEMON_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lingerbench/strategy.h"

/*
 * Starts the lingerd that lies beside this program and waits until it listens on lingerd.sock in that folder, where its
 * messages go to lingerd.log. Its pid; or a negative errno, and why has been logged: also if it is to drain in the kernel
 * and cannot.
 */
pid_t daemon_start(const char *folder, const struct strategy_settings *settings,
		   bool drains_in_kernel);

/* Where it listens. */
void daemon_socket(const char *folder, char ret[PATH_MAX]);

/*
 * How many connections it has taken over, as it says itself. 0 or a negative errno. Waits for the answer.
 */
int daemon_handoffs(const char *socket_path, uint64_t *ret);

/*
 * Ends it in order (SIGTERM), by force after 10 s. How it ended, now or before, as waitpid(2) tells
 * it; 0: in order.
 */
int daemon_stop(pid_t pid);

#endif
