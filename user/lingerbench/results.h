/* SPDX-License-Identifier: MIT */
/* connections.csv, blocks.csv and summary.csv of a run. */
#ifndef LINGERBENCH_RESULTS_H
#define LINGERBENCH_RESULTS_H

#include <stdbool.h>

#include "lingerbench/plan.h"
#include "lingerbench/tracelog.h"
#include "lingerbench/warnings.h"

/*
 * Writes the files into the folder, and warns of what a reader must not overlook in them. 0 or a negative
 * errno.
 */
int results_write(const char *folder, const struct scenario *scenario, const struct plan *plan,
		  const struct tracelog *log, bool tracing, struct warnings *warnings);

#endif
