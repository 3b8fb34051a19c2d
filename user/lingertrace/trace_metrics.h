/* SPDX-License-Identifier: MIT */
/* The trace as metrics, lingertrace_... */
#ifndef LINGERTRACE_TRACE_METRICS_H
#define LINGERTRACE_TRACE_METRICS_H

#include "lingertrace/tally.h"
#include "lingertrace/totals.h"
#include "metrics/text.h"
#include "tracer/tracer.h"

enum trace_metrics_stay {
	METRICS_FIN_WAIT_1,
	METRICS_FIN_WAIT_2,
	METRICS_ORPHAN,
	METRICS_CLOSE_CALL,
	METRICS_CLOSE_WAIT,
	METRICS_STAYS,
};

/* All zero: nothing yet. */
struct trace_metrics {
	struct metrics_histogram stays[METRICS_STAYS][TOTALS_ENDS];
};

void trace_metrics_add(struct trace_metrics *metrics, const struct close_record *record);

/* Writes all families. hooks: "fentry", say. */
void trace_metrics_write(const struct trace_metrics *metrics, const struct totals *totals,
			 const struct tallies *tallies, const struct tracer_counts *counts,
			 const char *hooks, struct metrics_text *text);

#endif
