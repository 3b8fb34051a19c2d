/* SPDX-License-Identifier: MIT */
/*
 * A real server that runs for one trial: as a user without rights where the lab is root, in a session of its
 * own (Apache signals its process group when it ends) and, where the lab is root, in a PID namespace of
 * its own: none of its processes outlives it, and it does not outlive the lab.
 */
#ifndef LINGERBENCH_RUNNING_H
#define LINGERBENCH_RUNNING_H

#include <stdbool.h>
#include <sys/types.h>

#include "lingerbench/probe.h"
#include "lingerbench/program.h"
#include "lingerbench/response.h"

/*
 * Makes setup->folder and what belongs in it, starts the server, and waits until it answers with all its
 * workers there. Its pid; -EINTR: *interrupted came; another negative errno, and why has been logged,
 * with the last line of the server's log. Nothing runs then; the folder is there all the same.
 * The probe by which it has answered is the caller's to close, in every case.
 */
pid_t running_start(const struct program *program, const struct program_setup *setup,
		    const struct response *response, const volatile bool *interrupted,
		    struct probe *probe);

/* Ends it in order, by force after 5 s, and all its processes with it. */
void running_stop(pid_t pid);

/* Logs, with the last line of the server's log, that it ended. */
void running_complain_of_end(const struct program *program, const struct program_setup *setup);

#endif
