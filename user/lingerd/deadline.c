/* SPDX-License-Identifier: MIT */
#include "lingerd/deadline.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

int deadline_queue_init(struct deadline_queue *queue, uint32_t size, uint64_t timeout_ns)
{
	struct deadline_link *links = calloc(size, sizeof(*links));

	if (!links)
		return -ENOMEM;
	*queue = (struct deadline_queue){ .links = links, .size = size, .timeout_ns = timeout_ns };
	return 0;
}

void deadline_queue_free(struct deadline_queue *queue)
{
	free(queue->links);
	*queue = (struct deadline_queue){ 0 };
}

bool deadline_queued(const struct deadline_queue *queue, uint32_t index)
{
	return index < queue->size && (queue->links[index].previous || queue->first == index + 1);
}

void deadline_add(struct deadline_queue *queue, uint32_t index, uint64_t now_ns)
{
	assert(index < queue->size && !deadline_queued(queue, index));
	queue->links[index] =
		(struct deadline_link){ .since_ns = now_ns, .previous = queue->last, .next = 0 };
	if (queue->last)
		queue->links[queue->last - 1].next = index + 1;
	else
		queue->first = index + 1;
	queue->last = index + 1;
}

void deadline_remove(struct deadline_queue *queue, uint32_t index)
{
	struct deadline_link *link = &queue->links[index];

	assert(deadline_queued(queue, index));
	if (link->previous)
		queue->links[link->previous - 1].next = link->next;
	else
		queue->first = link->next;
	if (link->next)
		queue->links[link->next - 1].previous = link->previous;
	else
		queue->last = link->previous;
	*link = (struct deadline_link){ 0 };
}

void deadline_restart(struct deadline_queue *queue, uint32_t index, uint64_t now_ns)
{
	deadline_remove(queue, index);
	deadline_add(queue, index, now_ns);
}

bool deadline_first(const struct deadline_queue *queue, uint32_t *ret_index, uint64_t *ret_at_ns)
{
	if (!queue->first)
		return false;
	*ret_index = queue->first - 1;
	*ret_at_ns = queue->links[*ret_index].since_ns + queue->timeout_ns;
	return true;
}
