/* SPDX-License-Identifier: MIT */
/* The command line of lingertrace. */
#ifndef LINGERTRACE_TRACE_OPTIONS_H
#define LINGERTRACE_TRACE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "metrics/target.h"
#include "tracer/tracer.h"

enum { TRACE_PORTS_MAX = 64 };

/* Strings are those of argv. */
struct trace_options {
	/* Outputs. A path, "-" for stdout, or NULL: none. */
	const char *csv;
	const char *json;
	const char *metrics; /* as it was written; NULL: none */
	struct metrics_target metrics_target;
	bool metrics_remote;
	bool summary;
	uint64_t top_ns; /* 0: no live table */

	uint64_t duration_ns; /* 0: until a signal */
	uint16_t ports[TRACE_PORTS_MAX];
	struct tracer_options tracer; /* but on_record and context; its ports are those above */
};

enum trace_options_result {
	TRACE_OPTIONS_RUN,
	TRACE_OPTIONS_DONE,  /* --help or --version was answered */
	TRACE_OPTIONS_WRONG, /* the message is out */
};

/* ret is written to in any case, and is not to be moved. */
enum trace_options_result trace_options_parse(struct trace_options *ret, int argc, char **argv);

#endif
