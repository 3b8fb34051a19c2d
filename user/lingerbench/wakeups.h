/* SPDX-License-Identifier: MIT */
/*
 * Who is to be woken when: a binary heap of slots by their time, so that a client with thousands of
 * connections that pause looks at the one that is due and not at all of them.
 */
#ifndef LINGERBENCH_WAKEUPS_H
#define LINGERBENCH_WAKEUPS_H

#include <stddef.h>
#include <stdint.h>

#define WAKEUP_NEVER UINT64_MAX

struct wakeup {
	uint64_t at_ns;
	size_t slot;
};

struct wakeups {
	struct wakeup *heap;
	size_t count;
	size_t *places; /* of each slot in the heap, from 1; 0: it sleeps for ever */
};

/* For slots 0 .. slots - 1, of which none is to be woken. 0 or -ENOMEM. */
int wakeups_make(struct wakeups *ret, size_t slots);
void wakeups_free(struct wakeups *wakeups);

/* Replaces the slot's time; WAKEUP_NEVER takes it out. */
void wakeups_set(struct wakeups *wakeups, size_t slot, uint64_t at_ns);

/* The one that is due first; its at_ns is WAKEUP_NEVER where there is none. */
struct wakeup wakeups_first(const struct wakeups *wakeups);

#endif
