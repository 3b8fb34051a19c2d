/* SPDX-License-Identifier: MIT */
/*
 * When the events of close() are attached. As long as they are, all system calls of the machine take the kernel's
 * slower path; but of a TCP connection, a close() can block only with SO_LINGER and a time above 0. So they are
 * taken off when none has come for a while, and attached again as soon as one begins.
 */
#ifndef TRACER_CLOSE_TIMING_H
#define TRACER_CLOSE_TIMING_H

#include <stdbool.h>
#include <stdint.h>

#include "tracer/hooks.h"
#include "tracer/tracer.h"

struct close_trace;

struct close_timing {
	struct close_trace *skeleton;
	bool switches; /* else the hooks stay as they are */
	bool is_on;
	uint64_t quiet_ns;
	uint64_t quiet_connections;
	/* As of the last look: */
	uint64_t begun;	      /* calls that may block */
	uint64_t lingered_at; /* when one was under way, or the start */
	uint64_t kept_ns;     /* since then, however many connections come */
	uint64_t followed;    /* connections by then */
	/* Since the events came or went, there may be calls whose return was not told. */
	bool unsettled;
	uint64_t switched_at;
};

/* To be called when all hooks are attached. The skeleton stays the caller's, and must outlive the timing. */
void close_timing_begin(struct close_timing *timing, struct close_trace *skeleton,
			const struct hook_set *hooks, const struct tracer_options *options);

/*
 * One look, and what follows from it: attaching takes some milliseconds, during which nobody else waits. If
 * the events cannot be attached, the next round tries again. Returns 0 or a negative errno.
 */
int close_timing_round(struct close_timing *timing);

#endif
