/* SPDX-License-Identifier: MIT */
#include "lingerd/engine.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "lingerd/deadline.h"

/*
 * Reads for one readiness event. A peer that floods is not read dry in one go: it has its turn
 * again after the others.
 */
enum { READS_PER_EVENT = 4 };

enum linger_end {
	LINGER_OPEN, /* not ended */
	LINGER_FIN,
	LINGER_RESET,
	LINGER_IDLE,
	LINGER_TOTAL,
	LINGER_ERROR,
	LINGER_SHUTDOWN,
};

struct linger_engine {
	struct deadline_queue idle;
	struct deadline_queue total;
	uint32_t *unsent; /* by fd: the send queue when it was last looked at */
	const struct linger_io *io;
	void *io_context;
	struct counters *counters;
};

int linger_engine_new(struct linger_engine **ret, uint32_t fd_numbers, const struct linger_io *io,
		      void *io_context, struct counters *counters)
{
	struct linger_engine *engine = calloc(1, sizeof(*engine));

	if (!engine)
		return -ENOMEM;
	engine->io = io;
	engine->io_context = io_context;
	engine->counters = counters;
	engine->unsent = calloc(fd_numbers, sizeof(*engine->unsent));
	if (!engine->unsent || deadline_queue_init(&engine->idle, fd_numbers, 0) ||
	    deadline_queue_init(&engine->total, fd_numbers, 0)) {
		linger_engine_free(engine);
		return -ENOMEM;
	}
	*ret = engine;
	return 0;
}

void linger_engine_free(struct linger_engine *engine)
{
	if (!engine)
		return;
	assert(!engine->total.first);
	deadline_queue_free(&engine->idle);
	deadline_queue_free(&engine->total);
	free(engine->unsent);
	free(engine);
}

void linger_engine_set_timeouts(struct linger_engine *engine, uint64_t idle_ns, uint64_t total_ns)
{
	engine->idle.timeout_ns = idle_ns;
	engine->total.timeout_ns = total_ns;
}

static uint64_t now_ns(const struct linger_engine *engine)
{
	return engine->io->now_ns(engine->io_context);
}

static enum linger_end end_of_error(ssize_t error)
{
	switch (error) {
	case -ECONNRESET:
	case -EPIPE: /* a reset that came after the peer's FIN */
	case -ENOTCONN:
		return LINGER_RESET;
	default:
		return LINGER_ERROR;
	}
}

/*
 * Reads what is there, within bounds. *ret_last is what the last read said, *ret_moved whether
 * any data came.
 */
static enum linger_end drain(struct linger_engine *engine, int fd, ssize_t *ret_last,
			     bool *ret_moved)
{
	*ret_moved = false;
	for (int i = 0; i < READS_PER_EVENT; i++) {
		ssize_t n = engine->io->discard(engine->io_context, fd);

		*ret_last = n;
		if (n > 0) {
			engine->counters->drained_bytes += (uint64_t)n;
			*ret_moved = true;
		} else if (n == 0) {
			return LINGER_FIN;
		} else if (n == -EAGAIN) {
			return LINGER_OPEN;
		} else if (n != -EINTR) {
			return end_of_error(n);
		}
	}
	return LINGER_OPEN;
}

static void count_end(struct counters *counters, enum linger_end end)
{
	uint64_t *const ends[] = {
		[LINGER_FIN] = &counters->ended_fin,
		[LINGER_RESET] = &counters->ended_reset,
		[LINGER_IDLE] = &counters->ended_idle,
		[LINGER_TOTAL] = &counters->ended_total,
		[LINGER_ERROR] = &counters->ended_error,
		[LINGER_SHUTDOWN] = &counters->ended_shutdown,
	};

	++*ends[end];
}

static void open_linger(struct linger_engine *engine, int fd)
{
	struct counters *counters = engine->counters;
	uint64_t now = now_ns(engine);

	deadline_add(&engine->idle, (uint32_t)fd, now);
	deadline_add(&engine->total, (uint32_t)fd, now);
	/* The first idle deadline has to tell a slow reader from a peer that has vanished. */
	if (engine->io->unsent(engine->io_context, fd, &engine->unsent[fd]))
		engine->unsent[fd] = 0;
	counters->lingers++;
	if (counters->lingers > counters->lingers_peak)
		counters->lingers_peak = counters->lingers;
}

static void end_linger(struct linger_engine *engine, int fd, enum linger_end end)
{
	deadline_remove(&engine->idle, (uint32_t)fd);
	deadline_remove(&engine->total, (uint32_t)fd);
	engine->counters->lingers--;
	count_end(engine->counters, end);
	engine->io->unwatch(engine->io_context, fd);
	engine->io->close(engine->io_context, fd);
}

/* Never watched, never in a queue. */
static void end_unopened(struct linger_engine *engine, int fd, enum linger_end end)
{
	count_end(engine->counters, end);
	engine->io->close(engine->io_context, fd);
}

void linger_engine_take(struct linger_engine *engine, int fd, bool half_closed)
{
	enum linger_end end;
	ssize_t last;
	bool moved;

	engine->io->prepare(engine->io_context, fd, half_closed);
	end = drain(engine, fd, &last, &moved);
	if (last == -ENOTCONN) {
		engine->counters->refused_not_connected++;
		engine->io->close(engine->io_context, fd);
		return;
	}
	engine->counters->handoffs++;
	if (end != LINGER_OPEN)
		end_unopened(engine, fd, end);
	else if ((uint32_t)fd >= engine->total.size || engine->io->watch(engine->io_context, fd))
		end_unopened(engine, fd, LINGER_ERROR);
	else
		open_linger(engine, fd);
}

void linger_engine_ready(struct linger_engine *engine, int fd)
{
	enum linger_end end;
	ssize_t last;
	bool moved;

	if (!deadline_queued(&engine->total, (uint32_t)fd))
		return;
	end = drain(engine, fd, &last, &moved);
	if (end != LINGER_OPEN)
		end_linger(engine, fd, end);
	else if (moved)
		deadline_restart(&engine->idle, (uint32_t)fd, now_ns(engine));
	else /* what woke us was no data, and would wake us again */
		engine->io->discard_notices(engine->io_context, fd);
}

static bool send_queue_shrinks(struct linger_engine *engine, int fd)
{
	uint32_t unsent;
	bool shrinks;

	if (engine->io->unsent(engine->io_context, fd, &unsent))
		return false;
	shrinks = unsent > 0 && unsent < engine->unsent[fd];
	engine->unsent[fd] = unsent;
	return shrinks;
}

static void end_at_total(struct linger_engine *engine, int fd)
{
	enum linger_end end;
	ssize_t last;
	bool moved;

	end = drain(engine, fd, &last, &moved);
	end_linger(engine, fd, end == LINGER_OPEN ? LINGER_TOTAL : end);
}

static void end_if_idle(struct linger_engine *engine, int fd, uint64_t now)
{
	enum linger_end end;
	ssize_t last;
	bool moved;

	end = drain(engine, fd, &last, &moved);
	if (end != LINGER_OPEN)
		end_linger(engine, fd, end);
	else if (moved || send_queue_shrinks(engine, fd))
		deadline_restart(&engine->idle, (uint32_t)fd, now);
	else
		end_linger(engine, fd, LINGER_IDLE);
}

void linger_engine_expire(struct linger_engine *engine)
{
	uint64_t now = now_ns(engine);
	uint64_t at;
	uint32_t fd;

	while (deadline_first(&engine->total, &fd, &at) && at <= now)
		end_at_total(engine, (int)fd);
	while (deadline_first(&engine->idle, &fd, &at) && at <= now)
		end_if_idle(engine, (int)fd, now);
}

uint64_t linger_engine_next_ns(const struct linger_engine *engine)
{
	uint64_t next = UINT64_MAX;
	uint64_t at;
	uint32_t fd;

	if (deadline_first(&engine->total, &fd, &at))
		next = at;
	if (deadline_first(&engine->idle, &fd, &at) && at < next)
		next = at;
	return next;
}

void linger_engine_end_all(struct linger_engine *engine)
{
	uint64_t at;
	uint32_t fd;

	while (deadline_first(&engine->total, &fd, &at))
		end_linger(engine, (int)fd, LINGER_SHUTDOWN);
}
