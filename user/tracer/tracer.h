/* SPDX-License-Identifier: MIT */
/*
 * The tracer as a library: loads bpf/close_trace.bpf.c into the running kernel and delivers one
 * record per TCP connection that ended. Needs CAP_BPF and CAP_PERFMON (or root) and a kernel with
 * BTF.
 */
#ifndef TRACER_H
#define TRACER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/close_trace.h"

struct tracer;

/* Called from tracer_poll(), tracer_drain() and tracer_finish(), about in the order of the ends. */
typedef void tracer_record_fn(void *context, const struct close_record *record);

struct tracer_options {
	const uint16_t *ports; /* local ports to watch */
	size_t port_count;     /* 0: all ports */
	size_t ring_bytes;     /* 0: the default; else rounded up to a power of two of pages */
	tracer_record_fn *on_record;
	void *context;
};

struct tracer_losses {
	uint64_t ring_full; /* records that found no room in the ring buffer */
	uint64_t map_full;  /* connections that could not be followed, the table being full */
	/*
	 * Events that the kernel did not report: those that it counts itself, its tracing being busy on that
	 * CPU, and those that others give away. What they would have told is unknown in the record; a
	 * connection whose beginning was missed has none.
	 */
	uint64_t missed_events;
};

/*
 * Loads and attaches; connections established from now on are followed. The options are copied.
 * 0, or a negative errno with *ret untouched and one line in error[] that names the cause and the
 * way out.
 */
int tracer_open(struct tracer **ret, const struct tracer_options *options, char *error,
		size_t error_size);

/*
 * Whether FIN_WAIT_2 is followed after close(); otherwise fin_wait_2_ns, orphan_ns, ended_ns and
 * end are unknown for a connection that was closed before the peer's FIN. It takes Linux 6.11 and,
 * for others than root, CAP_SYSLOG.
 */
bool tracer_follows_mini_sockets(const struct tracer *tracer);

/* Waits up to timeout_ms for records, delivers them. 0, -EINTR, or another negative errno. */
int tracer_poll(struct tracer *tracer, int timeout_ms);

/* Delivers all records that the kernel has written so far, without waiting. 0 or a negative errno.
 */
int tracer_drain(struct tracer *tracer);

/*
 * Stops following: detaches, delivers what is left in the ring buffer, then one record with end
 * CLOSE_END_OPEN for each connection that has not ended. One that has, but was not closed, is
 * delivered with its end. 0 or a negative errno.
 */
int tracer_finish(struct tracer *tracer);

void tracer_get_losses(const struct tracer *tracer, struct tracer_losses *ret);

/* Detaches and frees; NULL is allowed. */
void tracer_close(struct tracer *tracer);

#endif
