/* SPDX-License-Identifier: MIT */
/* The array of connections that both sides share: records of those that are over are read where they are. */
#ifndef TRACER_PLACES_H
#define TRACER_PLACES_H

#include <stddef.h>
#include <stdint.h>

#include "bpf/close_trace.h"

struct close_trace;

struct places {
	char *array;
	size_t stride; /* from one place to the next */
	uint32_t count;
	/* The queue of places that are over, and where the reader is in it. */
	uint64_t *ended;
	uint64_t turn;
};

typedef void places_fn(void *context, const struct close_record *record);

/* Maps the array of programs that are loaded. 0 or a negative errno; in either case, places_close() ends it. */
int places_open(struct places *places, const struct close_trace *skeleton);

/*
 * Calls on_record with the record of each connection that is over, in the order of the ends, and frees its place. Those
 * that end meanwhile may be left for the next call, or it might never return.
 */
void places_consume(struct places *places, places_fn *on_record, void *context);

/*
 * The records that no places_consume() will come to, once nothing is attached any more: on_ended with those whose number
 * has not got to the queue, its writer being held up; on_open with those of connections that are not over.
 */
void places_take_rest(struct places *places, places_fn *on_ended, places_fn *on_open,
		      void *context);

/* Also of a zeroed one. */
void places_close(struct places *places);

#endif
