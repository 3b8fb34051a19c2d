/* SPDX-License-Identifier: MIT */
/* From the options of a trace to its programs in the kernel. */
#ifndef TRACER_LOADING_H
#define TRACER_LOADING_H

#include <stddef.h>

#include "tracer/hooks.h"
#include "tracer/places.h"
#include "tracer/tracer.h"

struct close_trace;

/*
 * Loads and attaches the best set of hooks that the kernel takes and the options allow. The caller owns *ret and
 * *ret_places: close_trace__destroy(), places_close(). 0, or a negative errno with all three untouched, and one line
 * in error[].
 */
int loading_run(struct close_trace **ret, struct places *ret_places, struct hook_set *ret_hooks,
		const struct tracer_options *options, char *error, size_t error_size);

/* Follows the connections that are there already. 0 or a negative errno. */
int loading_follow_existing(const struct close_trace *skeleton);

#endif
