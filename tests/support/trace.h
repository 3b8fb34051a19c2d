/* SPDX-License-Identifier: MIT */
/* A tracer with all its records kept, for tests. Calls fail the test (cmocka) on errors. */
#ifndef TEST_TRACE_H
#define TEST_TRACE_H

#include <stddef.h>
#include <stdint.h>

#include "tracer/tracer.h"

struct trace {
	struct tracer *tracer;
	struct close_record *records;
	size_t count;
	size_t room;
};

/* Skips the test when this user may not load BPF programs. port 0: all ports. */
void trace_start(struct trace *trace, uint16_t port, size_t ring_bytes);
/* With these options but for their on_record and context. */
void trace_start_with(struct trace *trace, const struct tracer_options *options);
/* Polls until the record of the cookie is there; NULL after seconds. */
const struct close_record *trace_wait(struct trace *trace, uint64_t cookie, unsigned int seconds);
/* The record of the cookie among those delivered, or NULL. */
const struct close_record *trace_find(const struct trace *trace, uint64_t cookie);
void trace_stop(struct trace *trace);

/*
 * Runs a group of tests in a process of its own, for main(). Some kernels keep events from all BPF programs
 * while a guarded task runs, interrupts of it included; the tracer notices, and a test cannot pass then. So a
 * group that failed is run again, twice at most, if and only if events were missed in it; the output is that
 * of the last run. Returns main()'s result.
 */
int trace_run_tests(int (*run_group)(void));

/* SO_COOKIE */
uint64_t socket_cookie(int fd);

#endif
