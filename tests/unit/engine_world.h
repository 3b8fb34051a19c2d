/* SPDX-License-Identifier: MIT */
/*
 * The world of the engine in its tests: simulated time, simulated sockets that do what a test scripts, users. Comes
 * after "lingerd/engine.c". A second close() of a socket fails the test.
 */
#ifndef TESTS_UNIT_ENGINE_WORLD_H
#define TESTS_UNIT_ENGINE_WORLD_H

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

static inline struct fake_socket *held_socket(struct world *world, int fd)
{
	assert_in_range(fd, 0, FDS - 1);
	assert_true(world->sockets[fd].held); /* no call about an fd that is not ours (any more) */
	return &world->sockets[fd];
}

static inline uint64_t fake_now_ns(void *context)
{
	return ((struct world *)context)->now;
}

static inline void fake_begin(void *context, const int *fds, int count)
{
	for (int i = 0; i < count; i++)
		held_socket(context, fds[i]);
}

static inline void fake_end(void *context)
{
	(void)context;
}

static inline void fake_half_close(void *context, int fd)
{
	held_socket(context, fd)->half_closed = true;
}

static inline ssize_t fake_discard(void *context, int fd)
{
	struct fake_socket *socket = held_socket(context, fd);

	if (socket->script_at == socket->script_length)
		return -EAGAIN;
	return socket->script[socket->script_at++];
}

static inline bool fake_drain_in_kernel(void *context, int fd)
{
	struct fake_socket *socket = held_socket(context, fd);

	assert_false(socket->half_closed); /* the kernel would not take it */
	socket->in_kernel = socket->kernel_takes;
	return socket->in_kernel;
}

static inline uint32_t fake_received(void *context, int fd)
{
	return held_socket(context, fd)->received;
}

static inline uint32_t fake_unread(void *context, int fd)
{
	return held_socket(context, fd)->unread;
}

static inline bool fake_discard_notices(void *context, int fd)
{
	struct fake_socket *socket = held_socket(context, fd);

	socket->notices_discarded++;
	return socket->notices && socket->notices--;
}

static inline int fake_unsent(void *context, int fd, uint32_t *ret)
{
	*ret = held_socket(context, fd)->unsent;
	return 0;
}

static inline int fake_peer(void *context, int fd, struct sockaddr_storage *ret)
{
	struct sockaddr_in *address = (struct sockaddr_in *)ret;

	*address = (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_addr.s_addr = held_socket(context, fd)->client,
	};
	return 0;
}

static inline void fake_give_up(void *context, int fd, const struct linger_policy *policy)
{
	held_socket(context, fd)->given_up = policy->give_up;
}

static inline int fake_watch(void *context, int fd, bool for_data)
{
	struct fake_socket *socket = held_socket(context, fd);

	assert_int_equal(for_data, !socket->in_kernel);

	if (!socket->watched && socket->watch_error)
		return socket->watch_error;
	socket->watched = true;
	socket->pauses = false;
	return 0;
}

static inline void fake_watch_again(void *context, int fd, bool for_data)
{
	(void)for_data;
	held_socket(context, fd)->is_awaited = true;
}

static inline void fake_pause(void *context, int fd)
{
	held_socket(context, fd)->pauses = held_socket(context, fd)->watched;
}

static inline void fake_unwatch(void *context, int fd)
{
	held_socket(context, fd)->watched = held_socket(context, fd)->pauses = false;
}

static inline void fake_close(void *context, int fd)
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

static inline int open_world(void **state)
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

static inline int close_world(void **state)
{
	struct world *world = *state;

	linger_engine_free(world->engine);
	return 0;
}

static inline void script(struct world *world, int fd, int length, const ssize_t *answers)
{
	struct fake_socket *socket = &world->sockets[fd];

	socket->script_at = 0;
	socket->script_length = length;
	memcpy(socket->script, answers, (size_t)length * sizeof(*answers));
}

#define SCRIPT(world, fd, ...)                                                                     \
	script(world, fd, sizeof((ssize_t[]){ __VA_ARGS__ }) / sizeof(ssize_t),                    \
	       (ssize_t[]){ __VA_ARGS__ })

static inline void take_with(struct world *world, int fd, uint32_t idle_ms, uint32_t total_ms)
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

static inline void take(struct world *world, int fd)
{
	take_with(world, fd, 0, 0);
}

static inline void set_timeouts(struct world *world, uint64_t idle_ns, uint64_t total_ns)
{
	world->users.list[0].policy.idle_ns = idle_ns;
	world->users.list[0].policy.total_ns = total_ns;
	linger_engine_policies_changed(world->engine);
}

static inline void pass_time(struct world *world, double seconds)
{
	world->now += (uint64_t)(seconds * 1e9);
	linger_engine_expire(world->engine);
}

static inline uint64_t ended_in_all(const struct counters *c)
{
	return c->ended_fin + c->ended_reset + c->ended_idle + c->ended_total + c->ended_byte_cap +
	       c->ended_shed + c->ended_quota + c->ended_error + c->ended_command +
	       c->ended_shutdown;
}

static inline void take_of_user(struct world *world, int fd, uint16_t user)
{
	const struct handoff handoff = { .half_closed = true, .user = user };

	world->sockets[fd].held = true;
	linger_engine_take(world->engine, fd, &handoff);
}

/* Which have been closed by then, a letter for each. */
static inline void expect_closed_after(struct world *world, double seconds, const char *closed)
{
	char seen[FDS + 1] = "";

	pass_time(world, seconds);
	for (int fd = 0; fd < FDS; fd++)
		if (world->sockets[fd].closes)
			strcat(seen, (char[]){ (char)('a' + fd), '\0' });
	assert_string_equal(seen, closed);
}

#define ENGINE_TEST(test) cmocka_unit_test_setup_teardown(test, open_world, close_world)

#endif
