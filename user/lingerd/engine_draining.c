/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "lingerd/engine_parts.h"

/*
 * A peer that floods is not read dry in one go: it has its turn again after the others, for whom each megabyte is a
 * tenth of a millisecond or two, and after a rest. In smaller turns, more of the time would go into turning.
 */
const struct bounds engine_a_turn = { .reads = 4, .bytes = 1 << 20 };
/* All that the peer may have sent in time, its FIN behind it. */
const struct bounds engine_the_rest = { .reads = 64, .bytes = 16 << 20 };

struct drained engine_drain(struct linger_engine *engine, int fd, struct bounds most)
{
	struct drained drained = { .end = LINGER_OPEN };

	for (int i = 0; i < most.reads; i++) {
		drained.last = engine->io->discard(engine->io_context, fd);
		if (drained.last == 0)
			drained.end = LINGER_FIN;
		else if (drained.last > 0)
			drained.bytes += (uint64_t)drained.last;
		else
			drained.end = linger_end_of_error(drained.last);
		if ((drained.last <= 0 && drained.last != -EINTR) || drained.bytes >= most.bytes)
			break;
	}
	engine->counters->drained_bytes += drained.bytes;
	return drained;
}

struct drained engine_drain_open(struct linger_engine *engine, int fd, struct bounds most)
{
	struct drained drained = engine_drain(engine, fd, most);
	struct lingering *linger = &engine->lingers[fd];

	linger->drained += drained.bytes;
	if (drained.end == LINGER_OPEN &&
	    linger->drained > engine_policy(engine, linger->user)->byte_cap)
		drained.end = LINGER_BYTE_CAP;
	return drained;
}

bool engine_drain_in_kernel(struct linger_engine *engine, int fd, uint32_t *ret_received)
{
	*ret_received = engine->io->consumed(engine->io_context, fd);
	if (!engine->io->drain_in_kernel(engine->io_context, fd))
		return false;
	engine->counters->in_kernel++;
	return true;
}

uint32_t engine_count_received(struct linger_engine *engine, int fd, enum linger_end end,
			       uint32_t *received)
{
	uint32_t now = engine->io->received(engine->io_context, fd), bytes = now - *received;

	*received = now;
	/* It has gone back: the sender has made another connection of it, or the kernel does not tell. */
	if (bytes > INT32_MAX)
		return 0;
	/* To the kernel, a FIN is a byte that has come. */
	if (end == LINGER_FIN && bytes)
		bytes--;
	engine->counters->drained_bytes += bytes;
	engine->counters->kernel_drained_bytes += bytes;
	return bytes;
}

bool engine_count_in_kernel(struct linger_engine *engine, int fd, enum linger_end end)
{
	struct lingering *linger = &engine->lingers[fd];
	uint32_t received = linger->received, bytes;

	if (!linger->in_kernel)
		return false;
	bytes = engine_count_received(engine, fd, end, &received);
	linger->received = received;
	linger->drained += bytes;
	return bytes > 0;
}

bool engine_reads_again(struct linger_engine *engine, int fd)
{
	struct lingering *linger = &engine->lingers[fd];
	uint32_t unread = linger->in_kernel ? engine->io->unread(engine->io_context, fd) : 0;

	if (!unread)
		return false;
	/* They count when they are read, and the rest counts now. */
	linger->received += unread;
	engine_count_in_kernel(engine, fd, LINGER_OPEN);
	linger->in_kernel = false;
	engine->io->unwatch(engine->io_context, fd);
	engine_watch(engine, fd);
	return true;
}
