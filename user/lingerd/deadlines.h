/* SPDX-License-Identifier: MIT */
/*
 * Deadlines that lie any time ahead: a wheel of DEADLINES_SLOTS slots, each a queue of those that
 * expire in the same tick. Adding, moving and removing are O(1), nothing is allocated after
 * deadlines_init().
 *
 * A deadline comes at the end of the tick that it lies in: never early, and less than one tick
 * late. One that lies further ahead than the wheel reaches waits in the last slot and is put in
 * anew when its turn comes there, once in a turn of the wheel.
 *
 * Order: by tick; within a tick, members that were added in the order of their deadlines come in
 * that order. So of those that have the same timeout, nobody ever overtakes another.
 *
 * Pure logic: the caller brings the time, which must never go back. Calls do not block and, but
 * for init, cannot fail; an index out of range or added twice is a bug of the caller.
 */
#ifndef LINGERD_DEADLINES_H
#define LINGERD_DEADLINES_H

#include <stdbool.h>
#include <stdint.h>

#include "lingerd/queue.h"

/* 1/16 s; the wheel reaches 16 s. */
#define DEADLINES_TICK_NS 62500000ULL
enum { DEADLINES_SLOTS = 256 };

struct deadlines {
	struct queue slots[DEADLINES_SLOTS];
	uint64_t occupied[DEADLINES_SLOTS / 64]; /* a bit for each slot that has members */
	uint64_t turn;				 /* the first tick that is not over yet */
	struct queue_link *links;		 /* of all slots */
	struct deadline *members;		 /* by index */
	uint32_t size;
	uint32_t count;
};

/*
 * Room for the indices 0 to size - 1, 16 bytes for each, in pages that cost no memory before an
 * index reaches them. 0 or -ENOMEM. deadlines_free() gives it back.
 */
int deadlines_init(struct deadlines *deadlines, uint32_t size);
void deadlines_free(struct deadlines *deadlines);

bool deadlines_has(const struct deadlines *deadlines, uint32_t index);
/* at_ns may be over already: then it is the next to come. */
void deadlines_add(struct deadlines *deadlines, uint32_t index, uint64_t now_ns, uint64_t at_ns);
void deadlines_remove(struct deadlines *deadlines, uint32_t index);
/* Remove and add in one. */
void deadlines_move(struct deadlines *deadlines, uint32_t index, uint64_t now_ns, uint64_t at_ns);

/* Takes out the next one whose tick is over. False, with nothing set, when there is none. */
bool deadlines_take_due(struct deadlines *deadlines, uint64_t now_ns, uint32_t *ret_index);
/* When deadlines_take_due() has something to do next, or to put in anew; UINT64_MAX: never. */
uint64_t deadlines_next_ns(const struct deadlines *deadlines);

#endif
