/* SPDX-License-Identifier: MIT */
#include "lingerd/resting.h"

#include <errno.h>
#include <stdlib.h>

int resting_init(struct resting *resting, uint32_t size)
{
	*resting = (struct resting){ .queue.size = size };
	resting->queue.links = calloc(size, sizeof(*resting->queue.links));
	return resting->queue.links ? 0 : -ENOMEM;
}

void resting_free(struct resting *resting)
{
	free(resting->queue.links);
}

void resting_add(struct resting *resting, uint32_t index, uint64_t now_ns)
{
	if (queue_has(&resting->queue, index))
		return;
	if (!resting->queue.first)
		resting->until_ns = now_ns + RESTING_NS;
	queue_add(&resting->queue, index);
}

void resting_remove(struct resting *resting, uint32_t index)
{
	if (queue_has(&resting->queue, index))
		queue_remove(&resting->queue, index);
}

bool resting_take_due(struct resting *resting, uint64_t now_ns, uint32_t *ret_index)
{
	if (now_ns < resting->until_ns || !queue_first(&resting->queue, ret_index))
		return false;
	queue_remove(&resting->queue, *ret_index);
	return true;
}

uint64_t resting_next_ns(const struct resting *resting)
{
	return resting->queue.first ? resting->until_ns : UINT64_MAX;
}
