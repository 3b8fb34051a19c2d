/* SPDX-License-Identifier: MIT */
/* A tracer with all its records kept, for tests. Calls fail the test (cmocka) on errors. */
#ifndef TEST_TRACE_H
#define TEST_TRACE_H

#include <stdbool.h>
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

/* Whether the tests of this run want fentry; otherwise tracepoints. */
bool trace_tests_fentry(void);

/*
 * How many times as slow as a machine this one is allowed to be: TEST_SLOWNESS in the environment, which
 * tests/vm/run sets for its emulation. 1 otherwise.
 */
unsigned int trace_slowness(void);

/*
 * Runs a group of tests in a process of its own, for main(): with tracepoints, and before that with fentry where
 * the kernel takes it. Some kernels keep events from all BPF programs
 * while a guarded task runs, interrupts of it included; the tracer notices, and a test cannot pass then. So a
 * group that failed is run again, twice at most, if and only if events were missed in it; the output is that
 * of the last run. Returns main()'s result.
 */
int trace_run_tests(int (*run_group)(void));

/* SO_COOKIE */
uint64_t socket_cookie(int fd);

#endif
