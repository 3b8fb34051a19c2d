/* SPDX-License-Identifier: MIT */
/* Counts and percentiles over all records of a trace, in memory that does not grow with them. */
#ifndef LINGERTRACE_TRACE_SUMMARY_H
#define LINGERTRACE_TRACE_SUMMARY_H

#include <stdio.h>

#include "bpf/close_trace.h"

struct trace_summary;

/* NULL: no memory. */
struct trace_summary *trace_summary_new(void);
void trace_summary_add(struct trace_summary *summary, const struct close_record *record);
/* Percentiles are exact to 1 in 64; the maximum is exact. */
void trace_summary_print(const struct trace_summary *summary, FILE *out);
void trace_summary_free(struct trace_summary *summary);

#endif
