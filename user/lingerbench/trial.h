/* SPDX-License-Identifier: MIT */
/*
 * A trial: one strategy of one server under one peer, once. The server, where needed a lingerd, and a
 * client process are started for it and are gone when it is over.
 */
#ifndef LINGERBENCH_TRIAL_H
#define LINGERBENCH_TRIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lingerbench/arm.h"
#include "lingerbench/peer.h"
#include "lingerbench/rows.h"
#include "lingerbench/stage.h"
#include "lingerbench/tracing.h"
#include "lingerbench/warnings.h"

struct trial {
	uint64_t block; /* from 1 */
	const struct arm *arm;
	const struct peer *peer;

	/* Results; rows is NULL until it ran. */
	struct trial_rows *rows;
	uint64_t started_ns;
	uint64_t ended_ns;
	bool handoffs_known; /* by lingerd's own count, of a strategy that needs it */
	uint64_t handoffs;
	bool cpu_known;		  /* false: one of them died in between */
	uint64_t cpu_connections; /* for which it was spent: those of a warm-up are not */
	uint64_t cpu_us; /* of the server's processes and of lingerd, while clients were served */
	uint64_t measured_for_ns; /* of an open loop, until the last arrival; else 0 */
	bool is_void; /* the client process could not keep up with an open loop, measured nobody, or met no fault */
};

/* Who looks on. */
struct trial_watchers {
	struct tracing *tracing;
	struct warnings *warnings;
};

/*
 * Runs it. 0: the results are in *trial, whose rows the caller unmaps. -EINTR: the stage
 * was interrupted; every process has ended. Another negative errno: the trial could not be run, and why has
 * been logged.
 */
int trial_run(struct trial *trial, const struct stage *stage,
	      const struct trial_watchers *watchers);

#endif
