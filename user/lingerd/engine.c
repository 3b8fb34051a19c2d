/* SPDX-License-Identifier: MIT */
#include "lingerd/engine.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "common/clock.h"
#include "lingerd/deadlines.h"

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

/* What is kept of an open connection besides its deadline. */
struct linger {
	uint64_t taken_ns;
	uint64_t moved_ns;	   /* when it was taken, or last gave a sign of life */
	uint32_t idle_timeout_ms;  /* as its sender asked; 0: it did not */
	uint32_t total_timeout_ms; /* likewise */
	uint32_t unsent;	   /* the send queue when it was last looked at */
};

struct linger_engine {
	struct deadlines deadlines;
	struct linger *lingers; /* by fd */
	uint64_t idle_ns;
	uint64_t total_ns;
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
	engine->lingers = calloc(fd_numbers, sizeof(*engine->lingers));
	if (!engine->lingers || deadlines_init(&engine->deadlines, fd_numbers)) {
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
	assert(!engine->deadlines.count);
	deadlines_free(&engine->deadlines);
	free(engine->lingers);
	free(engine);
}

static uint64_t now_ns(const struct linger_engine *engine)
{
	return engine->io->now_ns(engine->io_context);
}

static uint64_t shorter(uint32_t wished_ms, uint64_t limit_ns)
{
	uint64_t wished_ns = wished_ms * NS_PER_MS;

	return wished_ns && wished_ns < limit_ns ? wished_ns : limit_ns;
}

static uint64_t total_deadline(const struct linger_engine *engine, const struct linger *linger)
{
	return linger->taken_ns + shorter(linger->total_timeout_ms, engine->total_ns);
}

static uint64_t next_deadline(const struct linger_engine *engine, const struct linger *linger)
{
	uint64_t idle = linger->moved_ns + shorter(linger->idle_timeout_ms, engine->idle_ns);
	uint64_t total = total_deadline(engine, linger);

	return idle < total ? idle : total;
}

void linger_engine_set_timeouts(struct linger_engine *engine, uint64_t idle_ns, uint64_t total_ns)
{
	uint64_t now = now_ns(engine);

	engine->idle_ns = idle_ns;
	engine->total_ns = total_ns;
	for (uint32_t fd = 0; fd < engine->deadlines.size; fd++)
		if (deadlines_has(&engine->deadlines, fd))
			deadlines_move(&engine->deadlines, fd, now,
				       next_deadline(engine, &engine->lingers[fd]));
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

static void open_linger(struct linger_engine *engine, int fd, const struct handoff *handoff)
{
	struct counters *counters = engine->counters;
	struct linger *linger = &engine->lingers[fd];
	uint64_t now = now_ns(engine);

	*linger = (struct linger){
		.taken_ns = now,
		.moved_ns = now,
		.idle_timeout_ms = handoff->idle_timeout_ms,
		.total_timeout_ms = handoff->total_timeout_ms,
	};
	deadlines_add(&engine->deadlines, (uint32_t)fd, now, next_deadline(engine, linger));
	/* The first idle deadline has to tell a slow reader from a peer that has vanished. */
	if (engine->io->unsent(engine->io_context, fd, &linger->unsent))
		linger->unsent = 0;
	counters->lingers++;
	if (counters->lingers > counters->lingers_peak)
		counters->lingers_peak = counters->lingers;
}

/* Its deadline is taken out already. */
static void end_linger(struct linger_engine *engine, int fd, enum linger_end end)
{
	engine->counters->lingers--;
	count_end(engine->counters, end);
	engine->io->unwatch(engine->io_context, fd);
	engine->io->close(engine->io_context, fd);
}

/* Never watched, never with a deadline. */
static void end_unopened(struct linger_engine *engine, int fd, enum linger_end end)
{
	count_end(engine->counters, end);
	engine->io->close(engine->io_context, fd);
}

void linger_engine_take(struct linger_engine *engine, int fd, const struct handoff *handoff)
{
	enum linger_end end;
	ssize_t last;
	bool moved;

	engine->io->prepare(engine->io_context, fd, handoff->half_closed);
	end = drain(engine, fd, &last, &moved);
	if (last == -ENOTCONN) {
		engine->counters->refused_not_connected++;
		engine->io->close(engine->io_context, fd);
		return;
	}
	engine->counters->handoffs++;
	if (end != LINGER_OPEN)
		end_unopened(engine, fd, end);
	else if ((uint32_t)fd >= engine->deadlines.size ||
		 engine->io->watch(engine->io_context, fd))
		end_unopened(engine, fd, LINGER_ERROR);
	else
		open_linger(engine, fd, handoff);
}

void linger_engine_ready(struct linger_engine *engine, int fd)
{
	enum linger_end end;
	struct linger *linger;
	ssize_t last;
	bool moved;

	if (!deadlines_has(&engine->deadlines, (uint32_t)fd))
		return;
	linger = &engine->lingers[fd];
	end = drain(engine, fd, &last, &moved);
	if (end != LINGER_OPEN) {
		deadlines_remove(&engine->deadlines, (uint32_t)fd);
		end_linger(engine, fd, end);
	} else if (moved) {
		linger->moved_ns = now_ns(engine);
		deadlines_move(&engine->deadlines, (uint32_t)fd, linger->moved_ns,
			       next_deadline(engine, linger));
	} else { /* what woke us was no data, and would wake us again */
		engine->io->discard_notices(engine->io_context, fd);
	}
}

static bool send_queue_shrinks(struct linger_engine *engine, int fd)
{
	uint32_t unsent;
	bool shrinks;

	if (engine->io->unsent(engine->io_context, fd, &unsent))
		return false;
	shrinks = unsent > 0 && unsent < engine->lingers[fd].unsent;
	engine->lingers[fd].unsent = unsent;
	return shrinks;
}

static void end_at_deadline(struct linger_engine *engine, int fd, uint64_t now)
{
	struct linger *linger = &engine->lingers[fd];
	bool final = total_deadline(engine, linger) <= now;
	enum linger_end end;
	ssize_t last;
	bool moved;

	end = drain(engine, fd, &last, &moved);
	if (end != LINGER_OPEN) {
		end_linger(engine, fd, end);
	} else if (final) {
		end_linger(engine, fd, LINGER_TOTAL);
	} else if (moved || send_queue_shrinks(engine, fd)) {
		linger->moved_ns = now;
		deadlines_add(&engine->deadlines, (uint32_t)fd, now, next_deadline(engine, linger));
	} else {
		end_linger(engine, fd, LINGER_IDLE);
	}
}

void linger_engine_expire(struct linger_engine *engine)
{
	uint64_t now = now_ns(engine);
	uint32_t fd;

	while (deadlines_take_due(&engine->deadlines, now, &fd))
		end_at_deadline(engine, (int)fd, now);
}

uint64_t linger_engine_next_ns(const struct linger_engine *engine)
{
	return deadlines_next_ns(&engine->deadlines);
}

void linger_engine_end_all(struct linger_engine *engine)
{
	uint32_t fd;

	while (deadlines_any(&engine->deadlines, &fd)) {
		deadlines_remove(&engine->deadlines, fd);
		end_linger(engine, (int)fd, LINGER_SHUTDOWN);
	}
}
