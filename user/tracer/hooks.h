/* SPDX-License-Identifier: MIT */
/* The sets of programs that can be loaded, from the best to the one that every kernel takes. */
#ifndef TRACER_HOOKS_H
#define TRACER_HOOKS_H

#include <stdbool.h>
#include <stddef.h>

#include "tracer/tracer.h"

struct close_trace;

struct hook_set {
	bool fentry;	   /* for what follows; else tracepoints */
	bool mini_sockets; /* FIN_WAIT_2 after close(), and TIME_WAIT */
	bool close_calls;  /* how long close() blocks */
	/*
	 * By the tracepoints of close() alone, instead of those of all system calls: much cheaper for these, and
	 * they can be taken off meanwhile (close_timing.h).
	 */
	bool close_events;
};

/*
 * The set to be tried as number `attempt`, from 0 on; false: there are no more. What the kernel is known not
 * to take is left out; the rest shows when it is loaded.
 */
bool hook_set_choose(struct hook_set *ret, const struct tracer_options *options, size_t attempt);

/* To be called between open and load. */
void hook_set_apply(const struct hook_set *set, const struct tracer_options *options,
		    struct close_trace *skeleton);

#endif
