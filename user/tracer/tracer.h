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

enum tracer_hooks {
	TRACER_HOOKS_AUTO,	 /* fentry where it loads, else tracepoints */
	TRACER_HOOKS_TRACEPOINT, /* what every kernel with BTF allows, lockdown or not */
	TRACER_HOOKS_FENTRY,	 /* or fail */
};

/* The kernel side's filters: what does not match costs no more than the look at it. 0 and "": all. */
struct tracer_filter {
	const uint16_t *ports; /* local ports */
	size_t port_count;
	int family;	 /* AF_INET, which takes in IPv4 on an IPv6 socket, or AF_INET6 */
	uint32_t netns;	 /* inode of a network namespace */
	uint64_t cgroup; /* inode of a cgroup2 folder: sockets made in it or below */
	/* Who closed or half-closed the connection. Known at its end only: until then it is followed. */
	uint32_t pid;
	char comm[CLOSE_TRACE_COMM_SIZE];
};

struct tracer_options {
	struct tracer_filter filter;
	enum tracer_hooks hooks;
	bool existing; /* also follow the connections of this network namespace that are there already */
	bool time_wait; /* also follow TIME_WAIT: records come when it is over, a minute later */
	/* By tracepoints: do not look at system calls, which costs each of them; close_call_ns stays unknown. */
	bool no_close_calls;
	/* By tracepoints: time every close(), and not only while some may block; that costs each system call. */
	bool all_close_calls;
	/* By tracepoints: those of all system calls, even where those of close() alone can be had. For tests. */
	bool no_close_events;
	/* After how long, or how many connections, without a close() that may block no other is timed; 0: the default. */
	uint64_t quiet_ns;
	uint64_t quiet_connections;
	/* By tracepoints: do not look at timers and dropped packets, of which some machines have many. */
	bool no_mini_sockets;
	/* For the records that do not wait in the array (bpf/places.h). 0: the default; else rounded up to a power of two of pages. */
	size_t ring_bytes;
	uint32_t connections; /* room in the table of those that are followed; 0: the default */
	tracer_record_fn *on_record;
	void *context;
};

enum { TRACER_CONNECTIONS_DEFAULT = 65536 };

/* followed == delivered records + ring_full + map_full + filtered, once tracer_finish() has returned 0. */
struct tracer_counts {
	uint64_t followed;  /* connections that matched all but the caller's pid and comm */
	uint64_t filtered;  /* of these, closed by others than those */
	uint64_t ring_full; /* records that found neither a place nor room in the ring buffer */
	uint64_t map_full;  /* connections that could not be followed, the table being full */
	/*
	 * Events that the kernel did not report: those that it counts itself, its tracing being busy on that
	 * CPU, and those that others give away. What they would have told is unknown in the record, which is
	 * marked; a connection whose beginning was missed has none.
	 */
	uint64_t missed_events;
	/*
	 * RSTs that this host sent for no connection that was followed: nobody listened, or it was over. Before
	 * Linux 6.10 the kernel does not tell: CLOSE_TRACE_UNKNOWN.
	 */
	uint64_t stray_resets;
};

/*
 * Loads and attaches; connections established from now on are followed. The options are copied.
 * 0, or a negative errno with *ret untouched and one line in error[] that names the cause and the
 * way out.
 */
int tracer_open(struct tracer **ret, const struct tracer_options *options, char *error,
		size_t error_size);

/* What is attached. */
bool tracer_uses_fentry(const struct tracer *tracer);
/*
 * Whether close_call_ns can be known. By tracepoints it takes Linux 6.6, and without all_close_calls it stays
 * unknown for a close() that could not block, while no other may.
 */
bool tracer_times_close_calls(const struct tracer *tracer);
/*
 * Whether FIN_WAIT_2 is followed after close(); otherwise fin_wait_2_ns, orphan_ns, ended_ns and
 * end are unknown for a connection that was closed before the peer's FIN. It takes fentry, or Linux 6.11
 * and, for others than root, CAP_SYSLOG.
 */
bool tracer_follows_mini_sockets(const struct tracer *tracer);

/* Waits up to timeout_ms for records, delivers them. 0, -EINTR, or another negative errno. */
int tracer_poll(struct tracer *tracer, int timeout_ms);

/* Delivers all records that the kernel has written so far, without waiting. 0 or a negative errno.
 */
int tracer_drain(struct tracer *tracer);

/*
 * Stops following: detaches, delivers the records that are left, then one record with end
 * CLOSE_END_OPEN for each connection that has not ended. One that has, but was not closed, is
 * delivered with its end. 0 or a negative errno.
 */
int tracer_finish(struct tracer *tracer);

void tracer_get_counts(const struct tracer *tracer, struct tracer_counts *ret);

/* Detaches and frees; NULL is allowed. */
void tracer_close(struct tracer *tracer);

#endif
