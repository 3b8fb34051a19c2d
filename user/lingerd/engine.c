/* SPDX-License-Identifier: MIT */
#include "lingerd/engine.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "lingerd/engine_parts.h"

int linger_engine_new(struct linger_engine **ret, uint32_t fd_numbers, const struct linger_io *io,
		      void *io_context, struct users *users, struct counters *counters)
{
	struct linger_engine *engine = calloc(1, sizeof(*engine));

	if (!engine)
		return -ENOMEM;
	engine->io = io;
	engine->io_context = io_context;
	engine->users = users;
	engine->counters = counters;
	engine->max_per_client = POLICY_NO_LIMIT;
	engine->lingers = calloc(fd_numbers, sizeof(*engine->lingers));
	engine->ages.links = calloc(fd_numbers, sizeof(*engine->ages.links));
	engine->ages.size = fd_numbers;
	engine->clients = clients_new(fd_numbers, false);
	if (!engine->lingers || !engine->ages.links || !engine->clients ||
	    deadlines_init(&engine->deadlines, fd_numbers) ||
	    resting_init(&engine->resting, fd_numbers)) {
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
	resting_free(&engine->resting);
	clients_free(engine->clients);
	free(engine->ages.links);
	free(engine->lingers);
	free(engine);
}

void linger_engine_limit_clients(struct linger_engine *engine, uint32_t most)
{
	engine->max_per_client = most;
}

void linger_engine_use_clients(struct linger_engine *engine, struct clients *clients)
{
	clients_free(engine->clients);
	engine->clients = clients;
}

void linger_engine_see_clients(struct linger_engine *engine, linger_clients_fn *elsewhere,
			       const void *context)
{
	engine->clients_elsewhere = elsewhere;
	engine->elsewhere_context = context;
}

void engine_close(struct linger_engine *engine, int fd, uint16_t user, enum linger_end end,
		  uint64_t lasted_ns)
{
	const struct linger_policy *policy = engine_policy(engine, user);

	linger_end_count(engine->counters, end);
	metrics_observe(&engine->times.all, lasted_ns);
	if (end == LINGER_FIN)
		metrics_observe(&engine->times.fin, lasted_ns);
	if (linger_end_gives_up(end) && policy->give_up != GIVE_UP_CLOSE)
		engine->io->give_up(engine->io_context, fd, policy);
	engine->io->close(engine->io_context, fd);
}

/*
 * The kernel may have no room for it (ENOSPC: fs.epoll.max_user_watches, ENOMEM). It lingers all the same: the end is
 * met at the next deadline then, and what the peer sends until then waits in the socket.
 */
void engine_watch(struct linger_engine *engine, int fd)
{
	if (engine->io->watch(engine->io_context, fd, !engine->lingers[fd].in_kernel))
		engine->counters->unwatched++;
}

void engine_begin(struct linger_engine *engine, int fd, uint64_t now)
{
	struct counters *counters = engine->counters;

	engine_schedule(engine, fd, now);
	queue_add(&engine->ages, (uint32_t)fd);
	engine->users->list[engine->lingers[fd].user].open++;
	counters->lingers++;
	if (counters->lingers > counters->lingers_peak)
		counters->lingers_peak = counters->lingers;
}

void engine_forget(struct linger_engine *engine, int fd)
{
	const struct lingering *linger = &engine->lingers[fd];

	queue_remove(&engine->ages, (uint32_t)fd);
	resting_remove(&engine->resting, (uint32_t)fd);
	clients_remove(engine->clients, linger->client);
	engine->users->list[linger->user].open--;
	engine->counters->lingers--;
}

/* Its deadline is taken out already. */
static void end_linger(struct linger_engine *engine, int fd, enum linger_end end, uint64_t now)
{
	const struct lingering *linger = &engine->lingers[fd];

	engine_count_in_kernel(engine, fd, end);
	engine_forget(engine, fd);
	engine->io->unwatch(engine->io_context, fd);
	engine_close(engine, fd, linger->user, end, now - linger->taken_ns);
}

bool engine_client_has_room(struct linger_engine *engine, int fd, uint32_t user, uint32_t *ret)
{
	struct sockaddr_storage address;
	uint32_t count = 0;

	*ret = 0;
	/* Those who may not hand over use up no client's share. */
	if (engine->max_per_client == POLICY_NO_LIMIT || user == USERS_TURNED_AWAY ||
	    engine->io->peer(engine->io_context, fd, &address))
		return true;
	*ret = clients_add(engine->clients, &address, &count);
	if (engine->clients_elsewhere)
		count += engine->clients_elsewhere(engine->elsewhere_context, &address);
	return count <= engine->max_per_client;
}

/* What has been learned of one in taking it. */
struct taken {
	struct drained drained;
	bool in_kernel;
	uint32_t received;
};

/* What the first read has left open lingers from now on, unless something is in the way. */
static enum linger_end try_open(struct linger_engine *engine, int fd, const struct handoff *handoff,
				const struct taken *taken)
{
	uint64_t now = engine_now_ns(engine);
	uint32_t client;

	if (taken->drained.bytes > engine_policy(engine, handoff->user)->byte_cap)
		return LINGER_BYTE_CAP;
	if ((uint32_t)fd >= engine->deadlines.size)
		return LINGER_ERROR;
	if (!engine_client_has_room(engine, fd, handoff->user, &client)) {
		clients_remove(engine->clients, client);
		return LINGER_QUOTA;
	}
	engine->lingers[fd] = (struct lingering){
		.taken_ns = now,
		.drained = taken->drained.bytes,
		.idle_timeout_ms = handoff->idle_timeout_ms,
		.total_timeout_ms = handoff->total_timeout_ms,
		.unsent = NOT_LOOKED_AT,
		.in_kernel = taken->in_kernel,
		.received = taken->received,
		.client = client,
		.user = handoff->user,
	};
	engine_watch(engine, fd);
	engine_begin(engine, fd, now);
	return LINGER_OPEN;
}

/* The kernel takes only connections that neither side has closed. What has come in between is read. */
static void half_close(struct linger_engine *engine, int fd, struct taken *taken)
{
	struct drained more;

	if (taken->drained.end == LINGER_OPEN)
		taken->in_kernel = engine_drain_in_kernel(engine, fd, &taken->received);
	engine->io->half_close(engine->io_context, fd);
	if (!taken->in_kernel)
		return;
	more = engine_drain(engine, fd, engine_a_turn);
	taken->drained.end = more.end;
	taken->drained.bytes += more.bytes;
	taken->drained.bytes += engine_count_received(engine, fd, more.end, &taken->received);
}

void linger_engine_take(struct linger_engine *engine, int fd, const struct handoff *handoff)
{
	struct taken taken = { .drained = engine_drain(engine, fd, engine_a_turn) };
	enum linger_end end;

	if (taken.drained.last == -ENOTCONN) {
		engine->counters->refused_not_connected++;
		engine->io->close(engine->io_context, fd);
		return;
	}
	engine->counters->handoffs++;
	if (!handoff->half_closed)
		half_close(engine, fd, &taken);
	end = taken.drained.end;
	if (end == LINGER_OPEN)
		end = try_open(engine, fd, handoff, &taken);
	if (end != LINGER_OPEN)
		engine_close(engine, fd, handoff->user, end, 0);
}

void linger_engine_take_all(struct linger_engine *engine, const int *fds,
			    const struct handoff *handoffs, int count)
{
	engine->io->begin(engine->io_context, fds, count);
	for (int i = 0; i < count; i++)
		linger_engine_take(engine, fds[i], &handoffs[i]);
	engine->io->end(engine->io_context);
}

/* There may be more to read, which others shall not have to wait for. Notices would wake us at once. */
static void let_rest(struct linger_engine *engine, int fd)
{
	engine->io->discard_notices(engine->io_context, fd);
	engine->io->pause(engine->io_context, fd);
	resting_add(&engine->resting, (uint32_t)fd, engine_now_ns(engine));
}

/* It has given a sign of life, and has no deadline. */
static void go_on(struct linger_engine *engine, int fd)
{
	uint64_t now = engine_now_ns(engine);

	engine_note_life(engine, fd, now);
	engine_schedule(engine, fd, now);
}

void linger_engine_ready(struct linger_engine *engine, int fd)
{
	struct drained drained;

	if (!deadlines_has(&engine->deadlines, (uint32_t)fd))
		return;
	drained = engine_drain_open(engine, fd, engine_a_turn);
	if (drained.end != LINGER_OPEN) {
		deadlines_remove(&engine->deadlines, (uint32_t)fd);
		end_linger(engine, fd, drained.end, engine_now_ns(engine));
		return;
	}
	if (drained.bytes) {
		deadlines_remove(&engine->deadlines, (uint32_t)fd);
		go_on(engine, fd);
	}
	/* What woke us may have been no data. */
	if (drained.last != -EAGAIN ||
	    (!drained.bytes && engine->io->discard_notices(engine->io_context, fd)))
		let_rest(engine, fd);
	else
		engine->io->watch_again(engine->io_context, fd, !engine->lingers[fd].in_kernel);
}

void linger_engine_ready_all(struct linger_engine *engine, const int *fds, int count)
{
	int open[LINGER_BATCH], open_count = 0;

	for (int i = 0; i < count; i++)
		if (deadlines_has(&engine->deadlines, (uint32_t)fds[i]))
			open[open_count++] = fds[i];
	if (!open_count)
		return;
	engine->io->begin(engine->io_context, open, open_count);
	for (int i = 0; i < open_count; i++)
		linger_engine_ready(engine, open[i]);
	engine->io->end(engine->io_context);
}

/* There may be room for it by now; nearly always it is watched already. */
static void go_on_watched(struct linger_engine *engine, int fd)
{
	engine->io->watch(engine->io_context, fd, !engine->lingers[fd].in_kernel);
	go_on(engine, fd);
}

static void end_at_deadline(struct linger_engine *engine, int fd, uint64_t now)
{
	struct drained drained;

	if (engine_was_only_a_look(engine, fd, now))
		return;
	drained = engine_drain_open(engine, fd, engine_the_rest);
	if (drained.end != LINGER_OPEN)
		end_linger(engine, fd, drained.end, now);
	else if (engine_total_deadline(engine, &engine->lingers[fd]) <= now)
		end_linger(engine, fd, LINGER_TOTAL, now);
	else if (drained.bytes || !engine_send_queue_stands(engine, fd))
		go_on_watched(engine, fd);
	else
		end_linger(engine, fd, LINGER_IDLE, now);
}

void linger_engine_expire(struct linger_engine *engine)
{
	uint64_t now = engine_now_ns(engine);
	uint32_t fd;

	while (resting_take_due(&engine->resting, now, &fd))
		engine_watch(engine, (int)fd);
	while (deadlines_take_due(&engine->deadlines, now, &fd))
		end_at_deadline(engine, (int)fd, now);
}

uint64_t linger_engine_next_ns(const struct linger_engine *engine)
{
	uint64_t deadline = deadlines_next_ns(&engine->deadlines);
	uint64_t rest = resting_next_ns(&engine->resting);

	return rest < deadline ? rest : deadline;
}

void linger_engine_shed(struct linger_engine *engine)
{
	struct drained drained;
	uint32_t fd;

	if (!queue_first(&engine->ages, &fd))
		return;
	deadlines_remove(&engine->deadlines, fd);
	drained = engine_drain_open(engine, (int)fd, engine_the_rest);
	end_linger(engine, (int)fd, drained.end == LINGER_OPEN ? LINGER_SHED : drained.end,
		   engine_now_ns(engine));
}

const struct linger_times *linger_engine_times(const struct linger_engine *engine)
{
	return &engine->times;
}

void linger_engine_end_all(struct linger_engine *engine, enum linger_end cause)
{
	uint64_t now = engine_now_ns(engine);
	uint32_t fd;

	while (queue_first(&engine->ages, &fd)) {
		deadlines_remove(&engine->deadlines, fd);
		end_linger(engine, (int)fd, cause, now);
	}
}
