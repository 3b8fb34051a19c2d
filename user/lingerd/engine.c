/* SPDX-License-Identifier: MIT */
#include "lingerd/engine.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "common/clock.h"
#include "lingerd/clients.h"
#include "lingerd/deadlines.h"
#include "lingerd/queue.h"
#include "lingerd/resting.h"

/* How much is read at a time. */
struct bounds {
	int reads;
	uint64_t bytes;
};

/*
 * For one readiness event. A peer that floods is not read dry in one go: it has its turn again after the others, for
 * whom each megabyte would be half a millisecond, and after a rest.
 */
static const struct bounds a_turn = { .reads = 4, .bytes = 1 << 20 };
/* Before it is given up: all that the peer may have sent in time, its FIN behind it. */
static const struct bounds the_rest = { .reads = 64, .bytes = 16 << 20 };

/*
 * The send queue is looked at for the first time when so much is over. Most have ended by then, and need not be.
 * Shorter timeouts than a few ticks do not leave that time.
 */
static const uint64_t FIRST_LOOK_NS = DEADLINES_TICK_NS;
static const uint64_t SHORT_TIMEOUT_NS = 4 * DEADLINES_TICK_NS;
enum { NOT_LOOKED_AT = UINT32_MAX };

/* What is kept of an open connection besides its deadline and its age. */
struct lingering {
	uint64_t taken_ns;
	uint64_t drained : 48;	   /* bytes read since */
	uint64_t user : 16;	   /* of users.h */
	uint32_t moved_ms;	   /* after it was taken: its last sign of life, rounded up */
	uint32_t idle_timeout_ms;  /* as its sender asked; 0: it did not */
	uint32_t total_timeout_ms; /* likewise */
	uint32_t unsent;	   /* the send queue when it was last looked at, or NOT_LOOKED_AT */
	uint32_t client;	   /* handle of clients.h; 0: not counted */
} __attribute__((packed, aligned(4)));

struct linger_engine {
	struct deadlines deadlines;
	struct queue ages; /* the oldest first */
	struct resting resting;
	struct lingering *lingers; /* by fd */
	struct users *users;
	struct clients *clients;
	uint32_t max_per_client;
	const struct linger_io *io;
	void *io_context;
	struct counters *counters;
	struct linger_times times;
};

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
	engine->clients = clients_new(fd_numbers);
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

static uint64_t now_ns(const struct linger_engine *engine)
{
	return engine->io->now_ns(engine->io_context);
}

static uint64_t shorter(uint32_t wished_ms, uint64_t limit_ns)
{
	uint64_t wished_ns = wished_ms * NS_PER_MS;

	return wished_ns && wished_ns < limit_ns ? wished_ns : limit_ns;
}

static const struct linger_policy *policy_of(const struct linger_engine *engine, uint16_t user)
{
	return &engine->users->list[user].policy;
}

static uint64_t total_deadline(const struct linger_engine *engine, const struct lingering *linger)
{
	return linger->taken_ns +
	       shorter(linger->total_timeout_ms, policy_of(engine, linger->user)->total_ns);
}

static uint64_t next_deadline(const struct linger_engine *engine, const struct lingering *linger)
{
	uint64_t idle = linger->taken_ns + linger->moved_ms * NS_PER_MS +
			shorter(linger->idle_timeout_ms, policy_of(engine, linger->user)->idle_ns);
	uint64_t total = total_deadline(engine, linger);

	return idle < total ? idle : total;
}

/* The idle deadline has to tell a slow reader from a peer that has vanished. */
static void look_at_send_queue(struct linger_engine *engine, struct lingering *linger, uint32_t fd)
{
	if (engine->io->unsent(engine->io_context, (int)fd, &linger->unsent))
		linger->unsent = 0;
}

/* It has no deadline, and gets one. */
static void schedule(struct linger_engine *engine, uint32_t fd, uint64_t now)
{
	struct lingering *linger = &engine->lingers[fd];
	uint64_t deadline = next_deadline(engine, linger);

	if (linger->unsent == NOT_LOOKED_AT && deadline > now + SHORT_TIMEOUT_NS)
		deadline = now + FIRST_LOOK_NS;
	else if (linger->unsent == NOT_LOOKED_AT)
		look_at_send_queue(engine, linger, fd);
	deadlines_add(&engine->deadlines, fd, now, deadline);
}

void linger_engine_policies_changed(struct linger_engine *engine)
{
	uint64_t now = now_ns(engine);

	for (uint32_t fd = 0; fd < engine->deadlines.size; fd++)
		if (deadlines_has(&engine->deadlines, fd)) {
			deadlines_remove(&engine->deadlines, fd);
			schedule(engine, fd, now);
		}
}

void linger_engine_limit_clients(struct linger_engine *engine, uint32_t most)
{
	engine->max_per_client = most;
}

struct drained {
	enum linger_end end; /* LINGER_OPEN: there may be more to come */
	ssize_t last;	     /* what the last read said */
	uint64_t bytes;
};

/* Reads what is there, within bounds. */
static struct drained drain(struct linger_engine *engine, int fd, struct bounds most)
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

/* The same for an open one, which also has its byte cap. */
static struct drained drain_open(struct linger_engine *engine, int fd, struct bounds most)
{
	struct drained drained = drain(engine, fd, most);
	struct lingering *linger = &engine->lingers[fd];

	linger->drained += drained.bytes;
	if (drained.end == LINGER_OPEN &&
	    linger->drained > policy_of(engine, linger->user)->byte_cap)
		drained.end = LINGER_BYTE_CAP;
	return drained;
}

/* Unwatched, without a deadline, and of no age. */
static void close_ended(struct linger_engine *engine, int fd, uint16_t user, enum linger_end end,
			uint64_t lasted_ns)
{
	const struct linger_policy *policy = policy_of(engine, user);

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
static void watch(struct linger_engine *engine, int fd)
{
	if (engine->io->watch(engine->io_context, fd))
		engine->counters->unwatched++;
}

/* All that is known of it is in its place. */
static void begin_linger(struct linger_engine *engine, int fd, uint64_t now)
{
	struct counters *counters = engine->counters;
	schedule(engine, (uint32_t)fd, now);
	queue_add(&engine->ages, (uint32_t)fd);
	engine->users->list[engine->lingers[fd].user].open++;
	counters->lingers++;
	if (counters->lingers > counters->lingers_peak)
		counters->lingers_peak = counters->lingers;
}

static void open_linger(struct linger_engine *engine, int fd, const struct handoff *handoff,
			uint32_t client, uint64_t drained)
{
	uint64_t now = now_ns(engine);

	engine->lingers[fd] = (struct lingering){
		.taken_ns = now,
		.drained = drained,
		.idle_timeout_ms = handoff->idle_timeout_ms,
		.total_timeout_ms = handoff->total_timeout_ms,
		.unsent = NOT_LOOKED_AT,
		.client = client,
		.user = handoff->user,
	};
	begin_linger(engine, fd, now);
}

/* Out of all tables. Its deadline is taken out already. */
static void forget_linger(struct linger_engine *engine, int fd)
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

	forget_linger(engine, fd);
	if (end != LINGER_FIN && end != LINGER_RESET)
		engine->io->unwatch(engine->io_context, fd);
	close_ended(engine, fd, linger->user, end, now - linger->taken_ns);
}

/* *ret: what clients_remove() is to be given; 0 if it is not counted. */
static bool client_has_room(struct linger_engine *engine, int fd, uint32_t user, uint32_t *ret)
{
	struct sockaddr_storage address;
	uint32_t count = 0;

	*ret = 0;
	/* Those who may not hand over use up no client's share. */
	if (engine->max_per_client == POLICY_NO_LIMIT || user == USERS_TURNED_AWAY ||
	    engine->io->peer(engine->io_context, fd, &address))
		return true;
	*ret = clients_add(engine->clients, &address, &count);
	return count <= engine->max_per_client;
}

/* What the first read has left open lingers from now on, unless something is in the way. */
static enum linger_end try_open(struct linger_engine *engine, int fd, const struct handoff *handoff,
				uint64_t drained)
{
	uint32_t client;

	if (drained > policy_of(engine, handoff->user)->byte_cap)
		return LINGER_BYTE_CAP;
	if ((uint32_t)fd >= engine->deadlines.size)
		return LINGER_ERROR;
	if (!client_has_room(engine, fd, handoff->user, &client)) {
		clients_remove(engine->clients, client);
		return LINGER_QUOTA;
	}
	watch(engine, fd);
	open_linger(engine, fd, handoff, client, drained);
	return LINGER_OPEN;
}

void linger_engine_take(struct linger_engine *engine, int fd, const struct handoff *handoff)
{
	struct drained drained;
	enum linger_end end;

	if (!handoff->half_closed)
		engine->io->half_close(engine->io_context, fd);
	drained = drain(engine, fd, a_turn);
	if (drained.last == -ENOTCONN) {
		engine->counters->refused_not_connected++;
		engine->io->close(engine->io_context, fd);
		return;
	}
	engine->counters->handoffs++;
	end = drained.end;
	if (end == LINGER_OPEN)
		end = try_open(engine, fd, handoff, drained.bytes);
	if (end != LINGER_OPEN)
		close_ended(engine, fd, handoff->user, end, 0);
}

/* There may be more to read, which others shall not have to wait for. Notices would wake us at once. */
static void let_rest(struct linger_engine *engine, int fd)
{
	engine->io->discard_notices(engine->io_context, fd);
	engine->io->pause(engine->io_context, fd);
	resting_add(&engine->resting, (uint32_t)fd, now_ns(engine));
}

/* It has given a sign of life, and has no deadline. */
static void go_on(struct linger_engine *engine, int fd)
{
	struct lingering *linger = &engine->lingers[fd];
	uint64_t now = now_ns(engine);

	linger->moved_ms = (uint32_t)((now - linger->taken_ns + NS_PER_MS - 1) / NS_PER_MS);
	schedule(engine, (uint32_t)fd, now);
}

void linger_engine_ready(struct linger_engine *engine, int fd)
{
	struct drained drained;

	if (!deadlines_has(&engine->deadlines, (uint32_t)fd))
		return;
	drained = drain_open(engine, fd, a_turn);
	if (drained.end != LINGER_OPEN) {
		deadlines_remove(&engine->deadlines, (uint32_t)fd);
		end_linger(engine, fd, drained.end, now_ns(engine));
		return;
	}
	if (drained.bytes) {
		deadlines_remove(&engine->deadlines, (uint32_t)fd);
		go_on(engine, fd);
	}
	/* We are not called for the same again. What woke us may have been no data. */
	if (drained.last != -EAGAIN ||
	    (!drained.bytes && engine->io->discard_notices(engine->io_context, fd)))
		let_rest(engine, fd);
}

/* Of one that was never looked at, it is not known. */
static bool send_queue_stands(struct linger_engine *engine, int fd)
{
	struct lingering *linger = &engine->lingers[fd];
	uint32_t before = linger->unsent;

	look_at_send_queue(engine, linger, (uint32_t)fd);
	return !linger->unsent || linger->unsent >= before;
}

/* There may be room for it by now; nearly always it is watched already. */
static void go_on_watched(struct linger_engine *engine, int fd)
{
	engine->io->watch(engine->io_context, fd);
	go_on(engine, fd);
}

/* Whether that was all that was due. */
static bool take_first_look(struct linger_engine *engine, int fd, uint64_t now)
{
	struct lingering *linger = &engine->lingers[fd];

	if (linger->unsent != NOT_LOOKED_AT || next_deadline(engine, linger) <= now)
		return false;
	look_at_send_queue(engine, linger, (uint32_t)fd);
	schedule(engine, (uint32_t)fd, now);
	return true;
}

static void end_at_deadline(struct linger_engine *engine, int fd, uint64_t now)
{
	struct drained drained;

	if (take_first_look(engine, fd, now))
		return;
	drained = drain_open(engine, fd, the_rest);
	if (drained.end != LINGER_OPEN)
		end_linger(engine, fd, drained.end, now);
	else if (total_deadline(engine, &engine->lingers[fd]) <= now)
		end_linger(engine, fd, LINGER_TOTAL, now);
	else if (drained.bytes || !send_queue_stands(engine, fd))
		go_on_watched(engine, fd);
	else
		end_linger(engine, fd, LINGER_IDLE, now);
}

void linger_engine_expire(struct linger_engine *engine)
{
	uint64_t now = now_ns(engine);
	uint32_t fd;

	while (resting_take_due(&engine->resting, now, &fd))
		watch(engine, (int)fd);
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
	drained = drain_open(engine, (int)fd, the_rest);
	end_linger(engine, (int)fd, drained.end == LINGER_OPEN ? LINGER_SHED : drained.end,
		   now_ns(engine));
}

bool linger_engine_release(struct linger_engine *engine, int *ret_fd, struct linger_record *ret)
{
	const struct lingering *linger;
	uint32_t fd;

	if (!queue_first(&engine->ages, &fd))
		return false;
	linger = &engine->lingers[fd];
	*ret_fd = (int)fd;
	*ret = (struct linger_record){
		.taken_ns = linger->taken_ns,
		.drained = linger->drained,
		.moved_ms = linger->moved_ms,
		.idle_timeout_ms = linger->idle_timeout_ms,
		.total_timeout_ms = linger->total_timeout_ms,
		.unsent = linger->unsent,
		.uid = engine->users->list[linger->user].uid,
		.user = linger->user,
	};
	deadlines_remove(&engine->deadlines, fd);
	forget_linger(engine, (int)fd);
	engine->io->unwatch(engine->io_context, (int)fd);
	return true;
}

void linger_engine_adopt(struct linger_engine *engine, int fd, const struct linger_record *record)
{
	uint64_t now = now_ns(engine);
	uint64_t taken = record->taken_ns < now ? record->taken_ns : now;
	uint64_t longest_ms = (now - taken + NS_PER_MS - 1) / NS_PER_MS;
	uint32_t client;

	if ((uint32_t)fd >= engine->deadlines.size) {
		close_ended(engine, fd, (uint16_t)record->user, LINGER_ERROR, now - taken);
		return;
	}
	watch(engine, fd);
	client_has_room(engine, fd, record->user, &client);
	engine->lingers[fd] = (struct lingering){
		.taken_ns = taken,
		.drained = record->drained,
		.moved_ms = record->moved_ms < longest_ms ? record->moved_ms : (uint32_t)longest_ms,
		.idle_timeout_ms = record->idle_timeout_ms,
		.total_timeout_ms = record->total_timeout_ms,
		.unsent = record->unsent,
		.client = client,
		.user = (uint16_t)record->user,
	};
	begin_linger(engine, fd, now);
}

const struct linger_times *linger_engine_times(const struct linger_engine *engine)
{
	return &engine->times;
}

void linger_engine_end_all(struct linger_engine *engine, enum linger_end cause)
{
	uint64_t now = now_ns(engine);
	uint32_t fd;

	while (queue_first(&engine->ages, &fd)) {
		deadlines_remove(&engine->deadlines, fd);
		end_linger(engine, (int)fd, cause, now);
	}
}
