/* SPDX-License-Identifier: MIT */
/* Records as rows of CSV. Durations in microseconds; an empty field is not known. */
#ifndef TRACER_TRACE_CSV_H
#define TRACER_TRACE_CSV_H

#include "bpf/close_trace.h"
#include "common/csv.h"

/* Each writes one whole row. 0, or a negative errno as csv_end_row(). */
int trace_csv_header(struct csv *csv);
int trace_csv_row(struct csv *csv, const struct close_record *record);

#endif
