/* SPDX-License-Identifier: MIT */
/* Percentiles and distributions over all records of a trace, by their ends, in memory that does not grow. */
#ifndef LINGERTRACE_TRACE_SUMMARY_H
#define LINGERTRACE_TRACE_SUMMARY_H

#include <stdio.h>

#include "lingertrace/tally.h"
#include "lingertrace/totals.h"
#include "tracer/tracer.h"

struct trace_summary;

/* NULL: no memory. */
struct trace_summary *trace_summary_new(void);
void trace_summary_free(struct trace_summary *summary);

void trace_summary_add(struct trace_summary *summary, const struct close_record *record);

/* Percentiles are exact to 1 in 64; the maximum is exact. */
void trace_summary_print(const struct trace_summary *summary, const struct totals *totals,
			 const struct tallies *tallies, const struct tracer_counts *counts,
			 FILE *out);

#endif
