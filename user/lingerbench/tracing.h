/* SPDX-License-Identifier: MIT */
/*
 * The tracer during a run: it is on unless the scenario or the machine says otherwise, and off in trials of strategies
 * whose name ends in "_untraced", which show what it costs. Off means that nothing of it is in the kernel.
 */
#ifndef LINGERBENCH_TRACING_H
#define LINGERBENCH_TRACING_H

#include <stdbool.h>
#include <stdint.h>

#include "lingerbench/tracelog.h"
#include "lingerbench/warnings.h"
#include "tracer/tracer.h"

struct tracing {
	struct tracer *tracer; /* NULL: off */
	struct tracelog log;
	struct tracer_counts counts; /* of all that was followed so far */
	const char *impossible;	     /* why nothing is traced; NULL: it is */
	uint16_t port;		     /* of the server */
	struct warnings *warnings;
	char error[256];
};

/*
 * Turns it on, unless it is unwanted. Without the tracer a run still has its outcomes, its hold times and its
 * throughput: that it cannot be had is a warning. The warnings must outlive it.
 */
void tracing_begin(struct tracing *tracing, bool wanted, uint16_t port, struct warnings *warnings);

/*
 * Turns it on or off between two trials. Off waits for the last records; connections that are not over by then are
 * told as open. Nothing happens where it is so already, or impossible.
 */
void tracing_switch(struct tracing *tracing, bool on);

/* Turns it off, warns of what was lost, and sorts the log. */
void tracing_finish(struct tracing *tracing);

void tracing_free(struct tracing *tracing);

#endif
