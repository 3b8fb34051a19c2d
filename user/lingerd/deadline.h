/* SPDX-License-Identifier: MIT */
/*
 * Deadlines that all lie the same time ahead: a queue in order of arrival is then also in order of
 * expiry, so that adding, moving and expiring are O(1) and need no heap.
 *
 * The members are small numbers (file descriptors), linked by index through one table: nothing is
 * allocated after deadline_queue_init(). The queue keeps when a member came, not when it expires,
 * so that timeout_ns may be changed at any time and the order still holds.
 *
 * Pure logic: the caller brings the time, which must never go back. Calls do not block and, but
 * for init, cannot fail; an index out of range or queued twice is a bug of the caller.
 */
#ifndef LINGERD_DEADLINE_H
#define LINGERD_DEADLINE_H

#include <stdbool.h>
#include <stdint.h>

struct deadline_link {
	uint64_t since_ns;
	uint32_t previous; /* index + 1, so that the table may begin as zeroes; 0: none */
	uint32_t next;
};

struct deadline_queue {
	struct deadline_link *links;
	uint32_t size;
	uint32_t first; /* index + 1; 0: the queue is empty */
	uint32_t last;
	uint64_t timeout_ns;
};

/* Room for the indices 0 to size - 1. 0 or -ENOMEM. Pages of the table that no index reached cost
 * no memory. deadline_queue_free() gives it back. */
int deadline_queue_init(struct deadline_queue *queue, uint32_t size, uint64_t timeout_ns);
void deadline_queue_free(struct deadline_queue *queue);

bool deadline_queued(const struct deadline_queue *queue, uint32_t index);
void deadline_add(struct deadline_queue *queue, uint32_t index, uint64_t now_ns);
void deadline_remove(struct deadline_queue *queue, uint32_t index);
/* Remove and add in one: the deadline begins anew. */
void deadline_restart(struct deadline_queue *queue, uint32_t index, uint64_t now_ns);

/* The member that expires first, and when. False, with nothing set, when the queue is empty. */
bool deadline_first(const struct deadline_queue *queue, uint32_t *ret_index, uint64_t *ret_at_ns);

#endif
