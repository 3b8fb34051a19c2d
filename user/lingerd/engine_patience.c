/* SPDX-License-Identifier: MIT */
#include "common/clock.h"
#include "lingerd/engine_parts.h"

/*
 * The send queue is looked at for the first time when so much is over. Most have ended by then, and need not be.
 * Shorter timeouts than a few ticks do not leave that time.
 */
static const uint64_t FIRST_LOOK_NS = DEADLINES_TICK_NS;
static const uint64_t SHORT_TIMEOUT_NS = 4 * DEADLINES_TICK_NS;
/* Of what the kernel throws away nobody tells us: whether the peer lives, and how much it was. */
static const uint64_t KERNEL_LOOK_NS = 4 * DEADLINES_TICK_NS;

static uint64_t shorter(uint32_t wished_ms, uint64_t limit_ns)
{
	uint64_t wished_ns = wished_ms * NS_PER_MS;

	return wished_ns && wished_ns < limit_ns ? wished_ns : limit_ns;
}

uint64_t engine_total_deadline(const struct linger_engine *engine, const struct lingering *linger)
{
	return linger->taken_ns +
	       shorter(linger->total_timeout_ms, engine_policy(engine, linger->user)->total_ns);
}

uint64_t engine_deadline(const struct linger_engine *engine, const struct lingering *linger)
{
	uint64_t idle =
		linger->taken_ns + linger->moved_ms * NS_PER_MS +
		shorter(linger->idle_timeout_ms, engine_policy(engine, linger->user)->idle_ns);
	uint64_t total = engine_total_deadline(engine, linger);

	return idle < total ? idle : total;
}

/* The idle deadline has to tell a slow reader from a peer that has vanished. */
static void look_at_send_queue(struct linger_engine *engine, struct lingering *linger, int fd)
{
	if (engine->io->unsent(engine->io_context, fd, &linger->unsent))
		linger->unsent = 0;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Of a peer that has been silent, the deadline is soon enough, unless it may send too much meanwhile. */
static bool is_looked_at_soon(const struct linger_engine *engine, const struct lingering *linger,
			      bool silent)
{
	return linger->in_kernel &&
	       (!silent || engine_policy(engine, linger->user)->byte_cap != POLICY_NO_CAP);
}

static void schedule(struct linger_engine *engine, int fd, uint64_t now, bool silent)
{
	struct lingering *linger = &engine->lingers[fd];
	uint64_t deadline = engine_deadline(engine, linger);

	/* Between a look and the deadline there has to be time for something to move, or it is not looked. */
	if (linger->unsent == NOT_LOOKED_AT && deadline > now + SHORT_TIMEOUT_NS)
		deadline = now + FIRST_LOOK_NS;
	else if (linger->unsent == NOT_LOOKED_AT && deadline > now + FIRST_LOOK_NS)
		look_at_send_queue(engine, linger, fd);
	if (is_looked_at_soon(engine, linger, silent))
		deadline = earlier(deadline, now + KERNEL_LOOK_NS);
	deadlines_add(&engine->deadlines, (uint32_t)fd, now, deadline);
}

void engine_schedule(struct linger_engine *engine, int fd, uint64_t now)
{
	schedule(engine, fd, now, false);
}

void engine_note_life(struct linger_engine *engine, int fd, uint64_t now)
{
	struct lingering *linger = &engine->lingers[fd];

	linger->moved_ms = (uint32_t)((now - linger->taken_ns + NS_PER_MS - 1) / NS_PER_MS);
}

bool engine_was_only_a_look(struct linger_engine *engine, int fd, uint64_t now)
{
	struct lingering *linger = &engine->lingers[fd];
	bool silent = true;

	if (engine_reads_again(engine, fd) || engine_count_in_kernel(engine, fd, LINGER_OPEN)) {
		engine_note_life(engine, fd, now);
		silent = false;
	}
	if (engine_deadline(engine, linger) <= now ||
	    linger->drained > engine_policy(engine, linger->user)->byte_cap)
		return false;
	if (linger->unsent == NOT_LOOKED_AT)
		look_at_send_queue(engine, linger, fd);
	schedule(engine, fd, now, silent);
	return true;
}

bool engine_send_queue_stands(struct linger_engine *engine, int fd)
{
	struct lingering *linger = &engine->lingers[fd];
	uint32_t before = linger->unsent;

	look_at_send_queue(engine, linger, fd);
	return !linger->unsent || linger->unsent >= before;
}

void linger_engine_policies_changed(struct linger_engine *engine)
{
	uint64_t now = engine_now_ns(engine);

	for (uint32_t fd = 0; fd < engine->deadlines.size; fd++)
		if (deadlines_has(&engine->deadlines, fd)) {
			deadlines_remove(&engine->deadlines, fd);
			engine_schedule(engine, (int)fd, now);
		}
}
