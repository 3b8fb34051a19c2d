/* SPDX-License-Identifier: MIT */
#include "lingerd/queue.h"

#include <assert.h>

bool queue_has(const struct queue *queue, uint32_t index)
{
	return index < queue->size && (queue->links[index].previous || queue->first == index + 1);
}

void queue_add(struct queue *queue, uint32_t index)
{
	assert(index < queue->size && !queue_has(queue, index));
	queue->links[index] = (struct queue_link){ .previous = queue->last, .next = 0 };
	if (queue->last)
		queue->links[queue->last - 1].next = index + 1;
	else
		queue->first = index + 1;
	queue->last = index + 1;
}

void queue_remove(struct queue *queue, uint32_t index)
{
	struct queue_link *link = &queue->links[index];

	assert(queue_has(queue, index));
	if (link->previous)
		queue->links[link->previous - 1].next = link->next;
	else
		queue->first = link->next;
	if (link->next)
		queue->links[link->next - 1].previous = link->previous;
	else
		queue->last = link->previous;
	*link = (struct queue_link){ 0 };
}

void queue_move_to_end(struct queue *queue, uint32_t index)
{
	queue_remove(queue, index);
	queue_add(queue, index);
}

bool queue_first(const struct queue *queue, uint32_t *ret_index)
{
	if (!queue->first)
		return false;
	*ret_index = queue->first - 1;
	return true;
}
