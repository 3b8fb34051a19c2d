/* SPDX-License-Identifier: MIT */
/*
 * Records as lines of JSON, one object each, with the names and values of the CSV; what is not known is
 * null.
 */
#ifndef TRACER_TRACE_JSON_H
#define TRACER_TRACE_JSON_H

#include "bpf/close_trace.h"
#include "common/rowfile.h"

/* Writes one whole line. 0, or a negative errno as rowfile_end_row(). */
int trace_json_row(struct rowfile *file, const struct close_record *record);

#endif
