/* SPDX-License-Identifier: MIT */
/* run.json: what was run, where, and all that a sceptic needs to weigh the figures. */
#ifndef LINGERBENCH_RUNINFO_H
#define LINGERBENCH_RUNINFO_H

#include <jansson.h>
#include <stdint.h>

#include "lingerbench/plan.h"
#include "lingerbench/scenario.h"
#include "lingerbench/tracing.h"
#include "lingerbench/warnings.h"

/*
 * Of run.json, the names of the files, and the columns of all CSV files; grows when one of them changes its meaning.
 * 2: with blocks.csv, and connections.csv may be compressed.
 */
enum { RUNINFO_SCHEMA_VERSION = 2 };

struct runinfo {
	const struct scenario *scenario;
	const struct plan *plan;
	const struct warnings *warnings;
	const char *command; /* that repeats the run */
	const char *commit;
	const struct tracing *tracing;
	uint16_t port;
	char started_utc[32];
	char ended_utc[32];
	json_t *counters; /* that grew during the run */
};

/* Writes the file. 0 or a negative errno. */
int runinfo_write(const struct runinfo *info, const char *path);

#endif
