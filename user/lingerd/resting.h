/* SPDX-License-Identifier: MIT */
/*
 * Connections that rest: their peers have sent more than was read in a turn, and are not listened to for two
 * milliseconds. Without that a single peer that floods keeps the daemon running all the time, and who floods on the
 * same machine or the daemon itself is what the others wait for: not for their turn in the loop, but for a CPU. What is
 * sent meanwhile fills the receive buffer, and TCP holds the peer up.
 *
 * All of them end their rest together, so a rest is at most RESTING_NS long.
 *
 * Pure logic, as queue.h.
 */
#ifndef LINGERD_RESTING_H
#define LINGERD_RESTING_H

#include "lingerd/queue.h"

#define RESTING_NS 2000000ULL

struct resting {
	struct queue queue;
	uint64_t until_ns; /* if there are some */
};

/* Room for the indices 0 to size - 1. 0 or -ENOMEM. resting_free() gives it back. */
int resting_init(struct resting *resting, uint32_t size);
void resting_free(struct resting *resting);

/* Of one that rests already, nothing changes. */
void resting_add(struct resting *resting, uint32_t index, uint64_t now_ns);
/* Of one that does not rest, nothing changes. */
void resting_remove(struct resting *resting, uint32_t index);
/* Takes out the next one whose rest is over. False, with nothing set, when there is none. */
bool resting_take_due(struct resting *resting, uint64_t now_ns, uint32_t *ret_index);
/* When resting_take_due() has something to do next; UINT64_MAX: never. */
uint64_t resting_next_ns(const struct resting *resting);

#endif
