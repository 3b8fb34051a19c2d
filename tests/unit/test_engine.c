/* SPDX-License-Identifier: MIT */
/*
 * The engine in simulated time, on simulated sockets: deadlines, causes, faults, and above all
 * that every fd is closed exactly once, whatever happens.
 */
#include "lingerd/engine.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <netinet/in.h>
#include <string.h>

#include "common/clock.h"

enum { FDS = 64, USERS = 3 };

struct fake_socket {
	bool held; /* by the engine */
	bool half_closed;
	bool watched;
	bool pauses;
	bool is_awaited; /* it was ready, and is to be called again */
	int watch_error;
	ssize_t script[8]; /* what discard says; then -EAGAIN */
	int script_length;
	int script_at;
	uint32_t unsent;
	bool kernel_takes, in_kernel;
	uint32_t received, unread;
	int notices; /* so many times there are still more */
	int notices_discarded;
	uint32_t client; /* of its address */
	enum give_up given_up;
	int closes;
};

struct world {
	uint64_t now;
	struct fake_socket sockets[FDS];
	struct counters counters;
	struct users users;
	struct linger_engine *engine;
};

static struct fake_socket *held_socket(struct world *world, int fd)
{
	assert_in_range(fd, 0, FDS - 1);
	assert_true(world->sockets[fd].held); /* no call about an fd that is not ours (any more) */
	return &world->sockets[fd];
}

static uint64_t fake_now_ns(void *context)
{
	return ((struct world *)context)->now;
}

static void fake_begin(void *context, const int *fds, int count)
{
	for (int i = 0; i < count; i++)
		held_socket(context, fds[i]);
}

static void fake_end(void *context)
{
	(void)context;
}

static void fake_half_close(void *context, int fd)
{
	held_socket(context, fd)->half_closed = true;
}

static ssize_t fake_discard(void *context, int fd)
{
	struct fake_socket *socket = held_socket(context, fd);

	if (socket->script_at == socket->script_length)
		return -EAGAIN;
	return socket->script[socket->script_at++];
}

static bool fake_drain_in_kernel(void *context, int fd)
{
	struct fake_socket *socket = held_socket(context, fd);

	assert_false(socket->half_closed); /* the kernel would not take it */
	socket->in_kernel = socket->kernel_takes;
	return socket->in_kernel;
}

static uint32_t fake_received(void *context, int fd)
{
	return held_socket(context, fd)->received;
}

static uint32_t fake_unread(void *context, int fd)
{
	return held_socket(context, fd)->unread;
}

static bool fake_discard_notices(void *context, int fd)
{
	struct fake_socket *socket = held_socket(context, fd);

	socket->notices_discarded++;
	return socket->notices && socket->notices--;
}

static int fake_unsent(void *context, int fd, uint32_t *ret)
{
	*ret = held_socket(context, fd)->unsent;
	return 0;
}

static int fake_peer(void *context, int fd, struct sockaddr_storage *ret)
{
	struct sockaddr_in *address = (struct sockaddr_in *)ret;

	*address = (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_addr.s_addr = held_socket(context, fd)->client,
	};
	return 0;
}

static void fake_give_up(void *context, int fd, const struct linger_policy *policy)
{
	held_socket(context, fd)->given_up = policy->give_up;
}

static int fake_watch(void *context, int fd, bool for_data)
{
	struct fake_socket *socket = held_socket(context, fd);

	assert_int_equal(for_data, !socket->in_kernel);

	if (!socket->watched && socket->watch_error)
		return socket->watch_error;
	socket->watched = true;
	socket->pauses = false;
	return 0;
}

static void fake_watch_again(void *context, int fd, bool for_data)
{
	(void)for_data;
	held_socket(context, fd)->is_awaited = true;
}

static void fake_pause(void *context, int fd)
{
	held_socket(context, fd)->pauses = held_socket(context, fd)->watched;
}

static void fake_unwatch(void *context, int fd)
{
	held_socket(context, fd)->watched = held_socket(context, fd)->pauses = false;
}

static void fake_close(void *context, int fd)
{
	struct fake_socket *socket = held_socket(context, fd);

	assert_false(socket->watched);
	socket->in_kernel = socket->half_closed = false;
	socket->held = false;
	socket->closes++;
}

static const struct linger_io fake_io = {
	.now_ns = fake_now_ns,
	.begin = fake_begin,
	.end = fake_end,
	.half_close = fake_half_close,
	.discard = fake_discard,
	.drain_in_kernel = fake_drain_in_kernel,
	.received = fake_received,
	.consumed = fake_received,
	.unread = fake_unread,
	.discard_notices = fake_discard_notices,
	.unsent = fake_unsent,
	.peer = fake_peer,
	.give_up = fake_give_up,
	.watch = fake_watch,
	.watch_again = fake_watch_again,
	.pause = fake_pause,
	.unwatch = fake_unwatch,
	.close = fake_close,
};

static const struct linger_policy default_policy = {
	.idle_ns = 2 * NS_PER_S,
	.total_ns = 30 * NS_PER_S,
	.byte_cap = POLICY_NO_CAP,
	.max_per_user = POLICY_NO_LIMIT,
};

static int open_world(void **state)
{
	static struct world world;

	memset(&world, 0, sizeof(world));
	world.now = 1000 * NS_PER_S;
	assert_int_equal(linger_engine_new(&world.engine, FDS, &fake_io, &world, &world.users,
					   &world.counters),
			 0);
	world.users.count = USERS;
	for (int i = 0; i < USERS; i++)
		world.users.list[i].policy = default_policy;
	*state = &world;
	return 0;
}

static int close_world(void **state)
{
	struct world *world = *state;

	linger_engine_free(world->engine);
	return 0;
}

static void script(struct world *world, int fd, int length, const ssize_t *answers)
{
	struct fake_socket *socket = &world->sockets[fd];

	socket->script_at = 0;
	socket->script_length = length;
	memcpy(socket->script, answers, (size_t)length * sizeof(*answers));
}

#define SCRIPT(world, fd, ...)                                                                     \
	script(world, fd, sizeof((ssize_t[]){ __VA_ARGS__ }) / sizeof(ssize_t),                    \
	       (ssize_t[]){ __VA_ARGS__ })

static void take_with(struct world *world, int fd, uint32_t idle_ms, uint32_t total_ms)
{
	const struct handoff handoff = {
		.half_closed = true,
		.idle_timeout_ms = idle_ms,
		.total_timeout_ms = total_ms,
	};

	assert_false(world->sockets[fd].held);
	world->sockets[fd].held = true;
	linger_engine_take(world->engine, fd, &handoff);
}

static void take(struct world *world, int fd)
{
	take_with(world, fd, 0, 0);
}

static void set_timeouts(struct world *world, uint64_t idle_ns, uint64_t total_ns)
{
	world->users.list[0].policy.idle_ns = idle_ns;
	world->users.list[0].policy.total_ns = total_ns;
	linger_engine_policies_changed(world->engine);
}

static void pass_time(struct world *world, double seconds)
{
	world->now += (uint64_t)(seconds * 1e9);
	linger_engine_expire(world->engine);
}

static uint64_t ended_in_all(const struct counters *c)
{
	return c->ended_fin + c->ended_reset + c->ended_idle + c->ended_total + c->ended_byte_cap +
	       c->ended_shed + c->ended_quota + c->ended_error + c->ended_command +
	       c->ended_shutdown;
}

static void what_ends_at_the_first_read_is_never_watched(void **state)
{
	struct world *world = *state;

	SCRIPT(world, 7, 100, 0);
	take(world, 7);
	assert_int_equal(world->sockets[7].closes, 1);
	assert_int_equal(world->counters.ended_fin, 1);
	assert_int_equal(world->counters.drained_bytes, 100);
	assert_int_equal(world->counters.lingers_peak, 0);
	assert_true(linger_engine_next_ns(world->engine) == UINT64_MAX);
}

static void causes_are_told_apart(void **state)
{
	struct world *world = *state;
	struct counters *c = &world->counters;

	SCRIPT(world, 1, -ECONNRESET);
	take(world, 1);
	assert_int_equal(c->ended_reset, 1);
	SCRIPT(world, 2, -EPIPE);
	take(world, 2);
	assert_int_equal(c->ended_reset, 2);
	SCRIPT(world, 3, -ETIMEDOUT);
	take(world, 3);
	assert_int_equal(c->ended_error, 1);
	SCRIPT(world, 4, -ENOTCONN);
	take(world, 4);
	assert_int_equal(c->refused_not_connected, 1);
	assert_int_equal(c->handoffs, 3);
	for (int fd = 1; fd <= 4; fd++)
		assert_int_equal(world->sockets[fd].closes, 1);
	assert_int_equal(c->lingers, 0);
}

static void what_the_kernel_cannot_watch_lingers_all_the_same(void **state)
{
	struct world *world = *state;
	struct counters *c = &world->counters;

	world->sockets[1].watch_error = world->sockets[2].watch_error = -ENOSPC;
	take(world, 1);
	take(world, 2);
	assert_int_equal(c->lingers, 2);
	assert_int_equal(c->unwatched, 2);
	/* One has closed in the meantime, the other has sent something: it is watched from then on. */
	SCRIPT(world, 1, 100, 0);
	SCRIPT(world, 2, 100);
	world->sockets[2].watch_error = 0;
	pass_time(world, 2.1);
	assert_int_equal(c->ended_fin, 1);
	assert_int_equal(c->lingers, 1);
	assert_true(world->sockets[2].watched);
	pass_time(world, 2.1);
	assert_int_equal(c->ended_idle, 1);
	assert_int_equal(world->sockets[1].closes, 1);
	assert_int_equal(world->sockets[2].closes, 1);
}

static void a_shortage_of_memory_is_no_end(void **state)
{
	struct world *world = *state;

	SCRIPT(world, 1, -ENOMEM, 100, -ENOBUFS, 0);
	take(world, 1);
	assert_int_equal(world->counters.lingers, 1);
	linger_engine_ready(world->engine, 1);
	assert_int_equal(world->counters.lingers, 1);
	linger_engine_ready(world->engine, 1);
	assert_int_equal(world->counters.ended_fin, 1);
	assert_int_equal(world->counters.drained_bytes, 100);
	assert_int_equal(world->sockets[1].closes, 1);
}

static void an_fd_beyond_the_table_is_closed(void **state)
{
	const struct handoff handoff = { .half_closed = true };
	struct world *world = *state;
	struct linger_engine *small;

	assert_int_equal(linger_engine_new(&small, 8, &fake_io, world, &world->users,
					   &world->counters),
			 0);
	world->sockets[8].held = true;
	linger_engine_take(small, 8, &handoff);
	assert_int_equal(world->sockets[8].closes, 1);
	assert_int_equal(world->counters.ended_error, 1);
	linger_engine_free(small);
}

static void an_interrupted_read_is_made_again(void **state)
{
	struct world *world = *state;

	SCRIPT(world, 1, -EINTR, 0);
	take(world, 1);
	assert_int_equal(world->counters.ended_fin, 1);
}

static void a_flood_has_its_turn_and_no_more(void **state)
{
	struct world *world = *state;
	struct fake_socket *socket = &world->sockets[1];

	take(world, 1);
	SCRIPT(world, 1, 9, 9, 9, 9, 9, 9, 9, 0);
	linger_engine_ready(world->engine, 1);
	assert_int_equal(socket->script_at, engine_a_turn.reads);
	assert_int_equal(world->counters.drained_bytes, 9 * engine_a_turn.reads);
	linger_engine_ready(world->engine, 1);
	assert_int_equal(socket->closes, 1);
	assert_int_equal(world->counters.drained_bytes, 9 * 7);
}

static void after_a_full_turn_a_peer_rests(void **state)
{
	struct world *world = *state;

	take(world, 1);
	take(world, 2);
	SCRIPT(world, 1, 9, 9, 9, 9);
	linger_engine_ready(world->engine, 1);
	SCRIPT(world, 2, 9, 9, 9); /* then nothing is left */
	linger_engine_ready(world->engine, 2);
	assert_true(world->sockets[1].pauses);
	assert_false(world->sockets[2].pauses);
	assert_true(linger_engine_next_ns(world->engine) == world->now + RESTING_NS);
	pass_time(world, 0.9 * RESTING_NS / NS_PER_S);
	assert_true(world->sockets[1].pauses);
	/* Who comes later rests no longer than the first. */
	SCRIPT(world, 2, 9, 9, 9, 9);
	linger_engine_ready(world->engine, 2);
	pass_time(world, 0.1 * RESTING_NS / NS_PER_S);
	assert_false(world->sockets[1].pauses);
	assert_false(world->sockets[2].pauses);
	assert_true(linger_engine_next_ns(world->engine) > world->now + RESTING_NS);
	/* An error wakes it all the same, and the rest of what is closed is forgotten. */
	SCRIPT(world, 1, 9, 9, 9, 9, -ECONNRESET);
	linger_engine_ready(world->engine, 1);
	assert_true(world->sockets[1].pauses);
	linger_engine_ready(world->engine, 1);
	assert_int_equal(world->counters.ended_reset, 1);
	assert_true(linger_engine_next_ns(world->engine) > world->now + RESTING_NS);
	pass_time(world, (double)RESTING_NS / NS_PER_S);
	linger_engine_end_all(world->engine, LINGER_SHUTDOWN);
	assert_int_equal(world->sockets[1].closes, 1);
	assert_int_equal(world->sockets[2].closes, 1);
}

static void data_restarts_the_idle_deadline_and_only_that(void **state)
{
	struct world *world = *state;

	take(world, 1);
	take(world, 2);
	pass_time(world, 0.1); /* a first look */
	assert_true(linger_engine_next_ns(world->engine) == world->now + 1900 * NS_PER_MS);
	pass_time(world, 1.8);
	SCRIPT(world, 1, 5);
	linger_engine_ready(world->engine, 1);
	linger_engine_ready(world->engine, 2); /* an event without data is no sign of life */
	pass_time(world, 0.2);
	assert_int_equal(world->sockets[1].closes, 0);
	assert_int_equal(world->sockets[2].closes, 1);
	assert_int_equal(world->counters.ended_idle, 1);
	for (int i = 0; i < 27; i++) {
		pass_time(world, 1);
		SCRIPT(world, 1, 5);
		linger_engine_ready(world->engine, 1);
	}
	pass_time(world, 0.8); /* 29.9 s after it was taken */
	assert_int_equal(world->sockets[1].closes, 0);
	pass_time(world, 0.2);
	assert_int_equal(world->sockets[1].closes, 1);
	assert_int_equal(world->counters.ended_total, 1);
	assert_int_equal(world->counters.ended_idle, 1);
}

static void notices_are_discarded_only_when_no_data_explains_the_event(void **state)
{
	struct world *world = *state;
	struct fake_socket *socket = &world->sockets[1];

	take(world, 1);
	SCRIPT(world, 1, 5);
	linger_engine_ready(world->engine, 1);
	assert_int_equal(socket->notices_discarded, 0);
	linger_engine_ready(world->engine, 1);
	assert_int_equal(socket->notices_discarded, 1);
	SCRIPT(world, 1, 0);
	linger_engine_ready(world->engine, 1);
	assert_int_equal(socket->notices_discarded, 1);
	assert_int_equal(socket->closes, 1);
}

static void take_unclosed(struct world *world, int fd)
{
	const struct handoff handoff = { .half_closed = false };

	world->sockets[fd].held = true;
	linger_engine_take(world->engine, fd, &handoff);
}

static void what_the_kernel_throws_away_is_counted_and_a_sign_of_life(void **state)
{
	struct world *world = *state;
	struct fake_socket *socket = &world->sockets[1];

	socket->kernel_takes = true;
	socket->received = UINT32_MAX - 10; /* its count goes round */
	take_unclosed(world, 1);
	assert_true(socket->in_kernel && socket->half_closed && socket->watched);
	for (int i = 0; i < 10; i++) {
		socket->received += 100;
		pass_time(world, 1);
	}
	assert_int_equal(world->counters.ended_idle, 0);
	assert_int_equal(world->counters.kernel_drained_bytes, 1000);
	socket->received += 51; /* and its FIN */
	SCRIPT(world, 1, 0);
	linger_engine_ready(world->engine, 1);
	assert_int_equal(world->counters.ended_fin, 1);
	assert_int_equal(world->counters.kernel_drained_bytes, 1050);
	assert_int_equal(world->counters.drained_bytes, 1050);
	assert_int_equal(world->counters.in_kernel, 1);
}

static void the_kernel_drains_neither_silence_nor_floods_for_ever(void **state)
{
	struct world *world = *state;

	world->users.list[0].policy.byte_cap = 5000;
	for (int fd = 1; fd <= 2; fd++) {
		world->sockets[fd].kernel_takes = true;
		take_unclosed(world, fd);
	}
	world->sockets[2].received += 5001;
	pass_time(world, 0.5);
	assert_int_equal(world->counters.ended_byte_cap, 1);
	pass_time(world, 1.5);
	assert_int_equal(world->counters.ended_idle, 1);
}

static void what_the_kernel_does_not_take_is_read(void **state)
{
	struct world *world = *state;
	struct fake_socket *socket = &world->sockets[1];

	take_unclosed(world, 1);
	assert_true(socket->half_closed && socket->watched && !socket->in_kernel);
	socket->received += 100; /* nobody asks */
	SCRIPT(world, 1, 100, 0);
	linger_engine_ready(world->engine, 1);
	assert_int_equal(world->counters.drained_bytes, 100);
	assert_int_equal(world->counters.in_kernel + world->counters.kernel_drained_bytes, 0);
}

static void the_kernel_goes_on_for_the_next_process(void **state)
{
	struct world *world = *state;
	struct fake_socket *socket = &world->sockets[1];
	struct linger_record record;
	int fd;

	socket->kernel_takes = true;
	take_unclosed(world, 1);
	socket->received += 10;
	assert_true(linger_engine_release(world->engine, &fd, &record));
	socket->received += 20;
	linger_engine_adopt(world->engine, fd, &record);
	pass_time(world, 1);
	assert_int_equal(world->counters.kernel_drained_bytes, 30);
	assert_int_equal(world->sockets[1].closes, 0);
	linger_engine_end_all(world->engine, LINGER_SHUTDOWN);
}

static void what_the_kernel_drains_no_more_is_read(void **state)
{
	struct world *world = *state;
	struct fake_socket *socket = &world->sockets[1];

	socket->kernel_takes = true;
	take_unclosed(world, 1);
	socket->received += 300;
	socket->unread = 100;
	socket->in_kernel = false; /* its table is gone: it has to be watched for data now */
	pass_time(world, 0.5);
	assert_int_equal(world->counters.kernel_drained_bytes, 200);
	socket->unread = 0;
	SCRIPT(world, 1, 100, 0);
	linger_engine_ready(world->engine, 1);
	assert_int_equal(world->counters.drained_bytes, 300);
	assert_int_equal(world->counters.ended_fin, 1);
}

static void a_count_that_goes_back_is_none(void **state)
{
	struct world *world = *state;
	struct fake_socket *socket = &world->sockets[1];

	socket->kernel_takes = true;
	socket->received = 1000;
	take_unclosed(world, 1);
	socket->received = 0;
	pass_time(world, 0.5);
	assert_int_equal(world->counters.drained_bytes, 0);
	linger_engine_end_all(world->engine, LINGER_SHUTDOWN);
}

/* An edge says it once: what is not read to its end then has to be come back to. */
static void what_an_event_leaves_over_is_come_back_to(void **state)
{
	struct world *world = *state;
	const ssize_t unfinished[] = { -EINTR, -ENOMEM, 1 << 18 };

	for (int fd = 0; fd < 3; fd++) {
		ssize_t answer = unfinished[fd];

		take(world, fd);
		SCRIPT(world, fd, answer, answer, answer, answer);
		linger_engine_ready(world->engine, fd);
		assert_true(world->sockets[fd].pauses);
	}
	take(world, 3);
	world->sockets[3].notices = 1;
	linger_engine_ready(world->engine, 3);
	assert_true(world->sockets[3].pauses);
	world->now += RESTING_NS;
	linger_engine_expire(world->engine);
	for (int fd = 0; fd < 4; fd++)
		assert_true(world->sockets[fd].watched && !world->sockets[fd].pauses);
	linger_engine_end_all(world->engine, LINGER_SHUTDOWN);
}

static void deadlines_come_at_their_time_and_not_before(void **state)
{
	struct world *world = *state;

	take(world, 1);
	world->now += 2 * NS_PER_S - 1;
	linger_engine_expire(world->engine);
	assert_int_equal(world->sockets[1].closes, 0);
	world->now += 1;
	linger_engine_expire(world->engine);
	assert_int_equal(world->sockets[1].closes, 1);
}

/* As after a pause of the machine: events and deadlines have become due together. */
static void what_came_in_time_is_read_however_late_we_are(void **state)
{
	struct world *world = *state;
	struct counters *c = &world->counters;

	for (int fd = 1; fd <= 4; fd++)
		take(world, fd);
	SCRIPT(world, 1, 70, 0);
	SCRIPT(world, 2, -ECONNRESET);
	SCRIPT(world, 3, 5);
	pass_time(world, 10);
	assert_int_equal(c->ended_fin, 1);
	assert_int_equal(c->ended_reset, 1);
	assert_int_equal(c->ended_idle, 1); /* the fourth, which was silent */
	assert_int_equal(c->drained_bytes, 75);
	assert_int_equal(world->sockets[3].closes, 0);
	pass_time(world, 1.9);
	assert_int_equal(world->sockets[3].closes, 0);
	pass_time(world, 0.1);
	assert_int_equal(world->sockets[3].closes, 1);
	assert_int_equal(c->ended_idle, 2);
}

static void the_total_deadline_reads_once_more(void **state)
{
	struct world *world = *state;
	struct counters *c = &world->counters;

	take(world, 1);
	take(world, 2);
	/* What came in time is read to its end, however much it is. */
	SCRIPT(world, 1, 1 << 20, 1 << 20, 1 << 20, 1 << 20, 1 << 20, 1 << 20, 0);
	SCRIPT(world, 2, 9, 9, 9, 9, 9, 9);
	pass_time(world, 60);
	assert_int_equal(c->ended_fin, 1);
	assert_int_equal(c->ended_total, 1);
	assert_int_equal(c->ended_idle, 0);
	assert_int_equal(c->drained_bytes, (6 << 20) + 6 * 9);
}

static void a_slow_reader_is_spared_while_its_queue_shrinks(void **state)
{
	struct world *world = *state;

	world->sockets[1].unsent = 3000;
	take(world, 1);
	world->sockets[1].unsent = 2000;
	pass_time(world, 2);
	world->sockets[1].unsent = 1000;
	pass_time(world, 2);
	assert_int_equal(world->sockets[1].closes, 0);
	pass_time(world, 2); /* nothing moved */
	assert_int_equal(world->sockets[1].closes, 1);
	assert_int_equal(world->counters.ended_idle, 1);
}

/* It acknowledges nothing, not even our FIN, and gets no second idle timeout for that. */
static void a_peer_that_has_vanished_is_not_spared(void **state)
{
	struct world *world = *state;

	world->sockets[1].unsent = 3001;
	world->sockets[2].unsent = 1;
	take(world, 1);
	take(world, 2);
	pass_time(world, 0.1); /* the queue is looked at */
	pass_time(world, 1.9);
	assert_int_equal(world->counters.ended_idle, 2);
}

/* With so little time there is none to look later. */
static void a_short_timeout_spares_no_vanished_peer_either(void **state)
{
	struct world *world = *state;

	world->sockets[1].unsent = 3001;
	take_with(world, 1, 100, 0);
	pass_time(world, 0.2);
	assert_int_equal(world->counters.ended_idle, 1);
}

/* The data came before the queue was looked at for the first time. */
static void nor_one_that_has_sent_something(void **state)
{
	struct world *world = *state;

	world->sockets[1].unsent = 3001;
	take(world, 1);
	pass_time(world, 0.01);
	SCRIPT(world, 1, 5);
	linger_engine_ready(world->engine, 1);
	pass_time(world, 0.2);
	pass_time(world, 1.79);
	assert_int_equal(world->counters.ended_idle, 0);
	pass_time(world, 0.1);
	assert_int_equal(world->counters.ended_idle, 1);
}

static void the_total_deadline_spares_nobody(void **state)
{
	struct world *world = *state;

	world->sockets[1].unsent = 1001;
	take(world, 1);
	for (uint32_t i = 0; i < 15; i++) {
		world->sockets[1].unsent = 1000 - i;
		pass_time(world, 2);
	}
	assert_int_equal(world->counters.ended_total, 1);
	assert_int_equal(world->counters.ended_idle, 0);
}

static void new_timeouts_hold_for_open_lingers(void **state)
{
	struct world *world = *state;

	take(world, 1);
	set_timeouts(world, NS_PER_S / 2, NS_PER_S);
	pass_time(world, 0.6);
	assert_int_equal(world->counters.ended_idle, 1);
}

/* Which have been closed by then, a letter for each. */
static void expect_closed_after(struct world *world, double seconds, const char *closed)
{
	char seen[FDS + 1] = "";

	pass_time(world, seconds);
	for (int fd = 0; fd < FDS; fd++)
		if (world->sockets[fd].closes)
			strcat(seen, (char[]){ (char)('a' + fd), '\0' });
	assert_string_equal(seen, closed);
}

static void a_sender_may_ask_for_less_patience(void **state)
{
	struct world *world = *state;

	take_with(world, 0, 500, 0);
	take_with(world, 1, 0, 1000);
	take_with(world, 2, 0, 0);
	take_with(world, 3, 1500, 700);
	expect_closed_after(world, 0.4, "");
	expect_closed_after(world, 0.2, "a");
	expect_closed_after(world, 0.2, "ad");
	expect_closed_after(world, 0.25, "abd");
	expect_closed_after(world, 0.9, "abd");
	expect_closed_after(world, 0.1, "abcd");
	assert_int_equal(world->counters.ended_idle, 2);
	assert_int_equal(world->counters.ended_total, 2);
}

static void nobody_gets_more_than_the_daemon_allows(void **state)
{
	struct world *world = *state;

	take_with(world, 0, 60000, 0);
	take_with(world, 1, UINT32_MAX, UINT32_MAX);
	expect_closed_after(world, 1.9, "");
	expect_closed_after(world, 0.1, "ab");
	assert_int_equal(world->counters.ended_idle, 2);
}

static void what_was_asked_for_holds_when_data_comes(void **state)
{
	struct world *world = *state;

	take_with(world, 0, 500, 1200);
	for (int i = 0; i < 2; i++) {
		pass_time(world, 0.4);
		SCRIPT(world, 0, 5);
		linger_engine_ready(world->engine, 0);
	}
	expect_closed_after(world, 0.3, "");
	expect_closed_after(world, 0.1625, "a");
	assert_int_equal(world->counters.ended_total, 1);
}

static void a_lower_limit_holds_for_who_had_asked_for_more(void **state)
{
	struct world *world = *state;

	take_with(world, 0, 1500, 0);
	take_with(world, 1, 250, 0);
	set_timeouts(world, NS_PER_S / 2, NS_PER_S);
	expect_closed_after(world, 0.3125, "b");
	expect_closed_after(world, 0.2, "ab");
}

/* A thousand distinct timeouts at once are as good as one. */
static void every_deadline_is_kept_within_a_tick(void **state)
{
	struct world *world = *state;
	uint64_t due[FDS] = { 0 };
	uint64_t step = 7 * NS_PER_MS;

	srandom(3);
	set_timeouts(world, 3600 * NS_PER_S, 3600 * NS_PER_S);
	for (int round = 0; round < 200000; round++) {
		for (int fd = 0; fd < FDS; fd++) {
			struct fake_socket *socket = &world->sockets[fd];
			uint32_t ms = (uint32_t)random() % (random() % 2 ? 40000 : 1000) + 1;

			if (socket->held) {
				assert_true(world->now < due[fd] + DEADLINES_TICK_NS + step);
			} else if (random() % 64 == 0) {
				take_with(world, fd, random() % 2 ? ms : 0, ms);
				due[fd] = world->now + ms * NS_PER_MS;
			}
		}
		world->now += step;
		assert_true(!world->counters.lingers ||
			    linger_engine_next_ns(world->engine) != UINT64_MAX);
		for (int fd = 0; fd < FDS; fd++)
			world->sockets[fd].closes = 0;
		linger_engine_expire(world->engine);
		for (int fd = 0; fd < FDS; fd++)
			if (world->sockets[fd].closes)
				assert_true(world->now >= due[fd]);
	}
	assert_true(world->counters.handoffs > 1000);
	linger_engine_end_all(world->engine, LINGER_SHUTDOWN);
}

static void take_of_user(struct world *world, int fd, uint16_t user)
{
	const struct handoff handoff = { .half_closed = true, .user = user };

	world->sockets[fd].held = true;
	linger_engine_take(world->engine, fd, &handoff);
}

static void each_user_has_its_own_patience(void **state)
{
	struct world *world = *state;

	world->users.list[1].policy.idle_ns = NS_PER_S;
	world->users.list[2].policy.total_ns = 3 * NS_PER_S;
	world->users.list[2].policy.idle_ns = 5 * NS_PER_S;
	for (uint16_t user = 0; user < USERS; user++)
		take_of_user(world, user, user);
	for (int user = 0; user < USERS; user++)
		assert_int_equal(world->users.list[user].open, 1);
	expect_closed_after(world, 0.9, "");
	expect_closed_after(world, 0.1, "b");
	expect_closed_after(world, 1, "ab");
	expect_closed_after(world, 0.9, "ab");
	expect_closed_after(world, 0.1, "abc");
	for (int user = 0; user < USERS; user++)
		assert_int_equal(world->users.list[user].open, 0);
	assert_int_equal(world->counters.ended_total, 1);
}

static void who_sends_more_than_the_byte_cap_is_given_up(void **state)
{
	struct world *world = *state;
	struct linger_policy *policy = &world->users.list[0].policy;

	policy->byte_cap = 100;
	policy->give_up = GIVE_UP_RESET;
	SCRIPT(world, 0, 101);
	take(world, 0);
	assert_int_equal(world->sockets[0].closes, 1); /* never opened */
	SCRIPT(world, 1, 60);
	take(world, 1);
	SCRIPT(world, 1, 40);
	linger_engine_ready(world->engine, 1);
	assert_int_equal(world->sockets[1].closes, 0); /* exactly as much as is allowed */
	SCRIPT(world, 1, 1);
	linger_engine_ready(world->engine, 1);
	assert_int_equal(world->sockets[1].closes, 1);
	SCRIPT(world, 2, 500, 0);
	take(world, 2);
	assert_int_equal(world->counters.ended_fin, 1); /* over the cap, but at its end already */
	assert_int_equal(world->counters.ended_byte_cap, 2);
	assert_int_equal(world->sockets[0].given_up, GIVE_UP_RESET);
	assert_int_equal(world->sockets[1].given_up, GIVE_UP_RESET);
	assert_int_equal(world->sockets[2].given_up, GIVE_UP_CLOSE);
}

static void the_choice_at_the_deadline_is_for_who_is_given_up(void **state)
{
	struct world *world = *state;

	world->users.list[0].policy.give_up = GIVE_UP_FIN_WAIT_2;
	take(world, 0);
	take(world, 1);
	SCRIPT(world, 1, 0);
	linger_engine_ready(world->engine, 1);
	pass_time(world, 2);
	take(world, 2);
	linger_engine_end_all(world->engine, LINGER_COMMAND);
	assert_int_equal(world->sockets[0].given_up, GIVE_UP_FIN_WAIT_2);
	assert_int_equal(world->sockets[1].given_up, GIVE_UP_CLOSE);
	assert_int_equal(world->sockets[2].given_up, GIVE_UP_CLOSE);
	assert_int_equal(world->counters.ended_command, 1);
}

static void the_oldest_is_shed_first_whatever_its_deadline(void **state)
{
	struct world *world = *state;

	for (int fd = 0; fd < 4; fd++) {
		take_with(world, fd, 0, fd == 0 ? 0 : 500);
		pass_time(world, 0.05);
	}
	SCRIPT(world, 0, 5); /* a sign of life does not make it younger */
	linger_engine_ready(world->engine, 0);
	linger_engine_shed(world->engine);
	expect_closed_after(world, 0, "a");
	SCRIPT(world, 1, 0); /* what had come to its end is counted as that */
	linger_engine_shed(world->engine);
	expect_closed_after(world, 0, "ab");
	linger_engine_shed(world->engine);
	linger_engine_shed(world->engine);
	linger_engine_shed(world->engine); /* nothing is left */
	expect_closed_after(world, 0, "abcd");
	assert_int_equal(world->counters.ended_shed, 3);
	assert_int_equal(world->counters.ended_fin, 1);
	assert_int_equal(world->counters.lingers, 0);
}

static void a_client_has_its_share_and_no_more(void **state)
{
	struct world *world = *state;

	for (int fd = 0; fd < 8; fd++)
		world->sockets[fd].client = fd < 4 ? 7 : 8;
	linger_engine_limit_clients(world->engine, 2);
	for (int fd = 0; fd < 6; fd++)
		take(world, fd);
	expect_closed_after(world, 0, "cd");
	assert_int_equal(world->counters.ended_quota, 2);
	SCRIPT(world, 0, 0);
	linger_engine_ready(world->engine, 0);
	world->sockets[6].client = 7; /* there is room for one of it again */
	take(world, 6);
	take(world, 7);
	expect_closed_after(world, 0, "acdh");
	linger_engine_limit_clients(world->engine, POLICY_NO_LIMIT);
	world->sockets[8].client = 7;
	world->sockets[9].client = 7;
	take(world, 8);
	take(world, 9);
	expect_closed_after(world, 0, "acdh");
	linger_engine_end_all(world->engine, LINGER_SHUTDOWN);
}

static void an_event_for_what_is_not_open_changes_nothing(void **state)
{
	struct world *world = *state;

	linger_engine_ready(world->engine, 3);
	linger_engine_ready(world->engine, FDS + 1000);
	take(world, 3);
	pass_time(world, 60);
	linger_engine_ready(world->engine, 3);
	assert_int_equal(world->sockets[3].closes, 1);
}

static uint64_t observed(const struct metrics_histogram *histogram)
{
	uint64_t count = 0;

	for (int i = 0; i <= METRICS_BOUNDS; i++)
		count += histogram->buckets[i];
	return count;
}

static void the_time_of_a_linger_is_counted_when_it_ends(void **state)
{
	struct world *world = *state;
	const struct linger_times *times = linger_engine_times(world->engine);

	SCRIPT(world, 0, 0);
	take(world, 0); /* had ended already */
	assert_int_equal(observed(&times->fin), 1);
	assert_int_equal(times->fin.sum_ns, 0);
	take(world, 1);
	take(world, 2);
	assert_int_equal(observed(&times->all), 1);
	world->now += 1500 * NS_PER_MS;
	SCRIPT(world, 1, 0);
	linger_engine_ready(world->engine, 1);
	assert_int_equal(observed(&times->fin), 2);
	assert_int_equal(times->fin.sum_ns, 1500 * NS_PER_MS);
	world->now += 1500 * NS_PER_MS;
	linger_engine_expire(world->engine);
	assert_int_equal(world->counters.ended_idle, 1);
	assert_int_equal(observed(&times->fin), 2); /* no FIN came */
	assert_int_equal(observed(&times->all), 3);
	assert_int_equal(times->all.sum_ns, 4500 * NS_PER_MS);
}

static void a_linger_of_two_processes_has_its_whole_time(void **state)
{
	struct world *world = *state;
	const struct linger_times *times = linger_engine_times(world->engine);
	struct linger_record record;
	int fd;

	take(world, 5);
	world->now += NS_PER_S;
	assert_true(linger_engine_release(world->engine, &fd, &record));
	assert_int_equal(observed(&times->all), 0); /* it has not ended */
	linger_engine_adopt(world->engine, fd, &record);
	world->now += NS_PER_S / 2;
	SCRIPT(world, 5, 0);
	linger_engine_ready(world->engine, 5);
	assert_int_equal(times->fin.sum_ns, 1500 * NS_PER_MS);
}

static void the_end_of_the_daemon_cuts_what_is_open(void **state)
{
	struct world *world = *state;

	for (int fd = 0; fd < 10; fd++)
		take(world, fd);
	assert_int_equal(world->counters.lingers_peak, 10);
	linger_engine_end_all(world->engine, LINGER_SHUTDOWN);
	for (int fd = 0; fd < 10; fd++)
		assert_int_equal(world->sockets[fd].closes, 1);
	assert_int_equal(world->counters.ended_shutdown, 10);
	assert_int_equal(world->counters.lingers, 0);
}

static ssize_t random_answer(void)
{
	static const ssize_t answers[] = { 1, 1460, 1 << 20, -EAGAIN, -EAGAIN, -EINTR,	   0,
					   0, -EIO, -ENOMEM, -EPIPE,  -EAGAIN, -ECONNRESET };

	return answers[(size_t)random() % (sizeof(answers) / sizeof(answers[0]))];
}

static void random_event(struct world *world)
{
	int fd = (int)(random() % FDS);
	struct fake_socket *socket = &world->sockets[fd];

	socket->script_at = 0;
	socket->script_length = (int)(random() % 8);
	for (int i = 0; i < socket->script_length; i++)
		socket->script[i] = random_answer();
	socket->unsent = (uint32_t)random() % 3;
	socket->client = (uint32_t)random() % 8;
	socket->watch_error = random() % 16 ? 0 : -ENOMEM;
	socket->is_awaited = false;
	if (!socket->held) {
		take_of_user(world, fd, (uint16_t)(random() % USERS));
	} else {
		linger_engine_ready(world->engine, fd);
		assert_true(!socket->held || !socket->watched || socket->pauses ||
			    socket->is_awaited);
	}
	if (random() % 64 == 0)
		linger_engine_shed(world->engine);
	if (random() % 1024 == 0)
		linger_engine_limit_clients(world->engine, random() % 2 ? 6 : POLICY_NO_LIMIT);
	if (random() % 4 == 0)
		pass_time(world, (double)(random() % 1000) / 1000);
}

static void every_fd_is_closed_once_under_random_events(void **state)
{
	struct world *world = *state;
	uint64_t closes = 0;

	srandom(7);
	world->users.list[1].policy.byte_cap = 10000;
	for (int step = 0; step < 200000; step++) {
		uint64_t held = 0, open = 0, paused = 0;

		random_event(world);
		for (int fd = 0; fd < FDS; fd++) {
			held += world->sockets[fd].held;
			paused += world->sockets[fd].pauses;
		}
		/* Nobody is forgotten in its rest. */
		assert_true(!paused ||
			    linger_engine_next_ns(world->engine) <= world->now + RESTING_NS);
		for (int user = 0; user < USERS; user++)
			open += world->users.list[user].open;
		assert_int_equal(held, world->counters.lingers);
		assert_int_equal(open, world->counters.lingers);
		assert_int_equal(world->counters.handoffs, held + ended_in_all(&world->counters));
	}
	linger_engine_end_all(world->engine, LINGER_SHUTDOWN);
	for (int fd = 0; fd < FDS; fd++)
		closes += (uint64_t)world->sockets[fd].closes;
	/* The fake fails the test at a second close; here, that none was forgotten. */
	assert_int_equal(closes, world->counters.handoffs);
	assert_int_equal(closes, ended_in_all(&world->counters));
	assert_int_equal(closes, observed(&linger_engine_times(world->engine)->all));
	assert_int_equal(world->counters.ended_fin,
			 observed(&linger_engine_times(world->engine)->fin));
	assert_true(world->counters.ended_idle && world->counters.ended_error &&
		    world->counters.ended_reset && world->counters.ended_fin &&
		    world->counters.ended_byte_cap && world->counters.ended_shed &&
		    world->counters.ended_quota);
}

#define ENGINE_TEST(test) cmocka_unit_test_setup_teardown(test, open_world, close_world)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ENGINE_TEST(what_ends_at_the_first_read_is_never_watched),
		ENGINE_TEST(what_the_kernel_cannot_watch_lingers_all_the_same),
		ENGINE_TEST(a_shortage_of_memory_is_no_end),
		ENGINE_TEST(causes_are_told_apart),
		ENGINE_TEST(an_fd_beyond_the_table_is_closed),
		ENGINE_TEST(an_interrupted_read_is_made_again),
		ENGINE_TEST(a_flood_has_its_turn_and_no_more),
		ENGINE_TEST(after_a_full_turn_a_peer_rests),
		ENGINE_TEST(data_restarts_the_idle_deadline_and_only_that),
		ENGINE_TEST(notices_are_discarded_only_when_no_data_explains_the_event),
		ENGINE_TEST(what_the_kernel_throws_away_is_counted_and_a_sign_of_life),
		ENGINE_TEST(the_kernel_drains_neither_silence_nor_floods_for_ever),
		ENGINE_TEST(what_the_kernel_does_not_take_is_read),
		ENGINE_TEST(the_kernel_goes_on_for_the_next_process),
		ENGINE_TEST(what_the_kernel_drains_no_more_is_read),
		ENGINE_TEST(a_count_that_goes_back_is_none),
		ENGINE_TEST(what_an_event_leaves_over_is_come_back_to),
		ENGINE_TEST(deadlines_come_at_their_time_and_not_before),
		ENGINE_TEST(what_came_in_time_is_read_however_late_we_are),
		ENGINE_TEST(the_total_deadline_reads_once_more),
		ENGINE_TEST(a_slow_reader_is_spared_while_its_queue_shrinks),
		ENGINE_TEST(a_peer_that_has_vanished_is_not_spared),
		ENGINE_TEST(a_short_timeout_spares_no_vanished_peer_either),
		ENGINE_TEST(nor_one_that_has_sent_something),
		ENGINE_TEST(the_total_deadline_spares_nobody),
		ENGINE_TEST(new_timeouts_hold_for_open_lingers),
		ENGINE_TEST(a_sender_may_ask_for_less_patience),
		ENGINE_TEST(nobody_gets_more_than_the_daemon_allows),
		ENGINE_TEST(what_was_asked_for_holds_when_data_comes),
		ENGINE_TEST(a_lower_limit_holds_for_who_had_asked_for_more),
		ENGINE_TEST(every_deadline_is_kept_within_a_tick),
		ENGINE_TEST(each_user_has_its_own_patience),
		ENGINE_TEST(who_sends_more_than_the_byte_cap_is_given_up),
		ENGINE_TEST(the_choice_at_the_deadline_is_for_who_is_given_up),
		ENGINE_TEST(the_oldest_is_shed_first_whatever_its_deadline),
		ENGINE_TEST(a_client_has_its_share_and_no_more),
		ENGINE_TEST(an_event_for_what_is_not_open_changes_nothing),
		ENGINE_TEST(the_time_of_a_linger_is_counted_when_it_ends),
		ENGINE_TEST(a_linger_of_two_processes_has_its_whole_time),
		ENGINE_TEST(the_end_of_the_daemon_cuts_what_is_open),
		ENGINE_TEST(every_fd_is_closed_once_under_random_events),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
