/* SPDX-License-Identifier: MIT */
/*
 * A queue of small numbers (file descriptors), linked by index through a table: adding, removing
 * from the middle and moving to the end are O(1), and nothing is allocated. Several queues may
 * share one table, as long as no index is in two of them.
 *
 * Pure logic: calls do not block and cannot fail; an index out of range or queued twice is a bug
 * of the caller.
 */
#ifndef LINGERD_QUEUE_H
#define LINGERD_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

/* Index + 1, so that a table may begin as zeroes; 0: none. */
struct queue_link {
	uint32_t previous;
	uint32_t next;
};

/* All zeroes but for links and size is an empty queue. */
struct queue {
	struct queue_link *links; /* the caller's; room for the indices 0 to size - 1 */
	uint32_t size;
	uint32_t first; /* index + 1; 0: the queue is empty */
	uint32_t last;
};

/* Where the queue has a table of its own, it says whether the index is in it. */
bool queue_has(const struct queue *queue, uint32_t index);
void queue_add(struct queue *queue, uint32_t index);
void queue_remove(struct queue *queue, uint32_t index);
/* Remove and add in one. */
void queue_move_to_end(struct queue *queue, uint32_t index);
/* The member that came first. False, with nothing set, when the queue is empty. */
bool queue_first(const struct queue *queue, uint32_t *ret_index);

#endif
