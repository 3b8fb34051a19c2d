/* SPDX-License-Identifier: MIT */
/* Keeps what the tracer says during a run, to be found by cookie or by port when the run is over. */
#ifndef LINGERBENCH_TRACELOG_H
#define LINGERBENCH_TRACELOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tracer/tracer.h"

struct tracelog {
	struct close_record *records;
	size_t count;
	size_t size;
	const struct close_record **by_port; /* once sorted */
	bool out_of_memory;		     /* records were dropped */
};

/* For tracer_options.on_record; the context is a struct tracelog, zeroed before the first call. */
void tracelog_add(void *context, const struct close_record *record);

/* To be called once, after the last record. */
void tracelog_sort(struct tracelog *log);

/* NULL: no record has that cookie. */
const struct close_record *tracelog_find(const struct tracelog *log, uint64_t cookie);

/*
 * The first connection from that remote port that was made at from_ns or later. NULL: none was, or there was no
 * memory to look.
 */
const struct close_record *tracelog_find_port(const struct tracelog *log, uint16_t port,
					      uint64_t from_ns);

void tracelog_free(struct tracelog *log);

#endif
