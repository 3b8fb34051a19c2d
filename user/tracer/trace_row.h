/* SPDX-License-Identifier: MIT */
/* A record as a row of named fields, in the order of the columns: what CSV and JSON have in common. */
#ifndef TRACER_TRACE_ROW_H
#define TRACER_TRACE_ROW_H

#include <stdint.h>

#include "bpf/close_trace.h"

/* Takes the fields one after the other. */
struct trace_row_sink {
	/* NULL: not known. What processes chose themselves has been made printable. */
	void (*text)(void *to, const char *name, const char *value);
	void (*number)(void *to, const char *name, uint64_t value);
	/* value / 1000, with three decimals */
	void (*thousandths)(void *to, const char *name, uint64_t value);
	void (*unknown)(void *to, const char *name);
};

void trace_row_write(const struct close_record *record, const struct trace_row_sink *sink,
		     void *to);

#endif
