/* SPDX-License-Identifier: MIT */
/* The command line of lingertrace. */
#ifndef LINGERTRACE_TRACE_OPTIONS_H
#define LINGERTRACE_TRACE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TRACE_PORTS_MAX = 64 };

struct trace_options {
	const char *csv; /* a path, "-" for stdout, or NULL: no CSV */
	uint16_t ports[TRACE_PORTS_MAX];
	size_t port_count;
	uint64_t duration_ns; /* 0: until a signal */
	bool summary;
};

enum trace_options_result {
	TRACE_OPTIONS_RUN,
	TRACE_OPTIONS_DONE,  /* --help or --version was answered */
	TRACE_OPTIONS_WRONG, /* the message is out */
};

enum trace_options_result trace_options_parse(struct trace_options *ret, int argc, char **argv);

#endif
