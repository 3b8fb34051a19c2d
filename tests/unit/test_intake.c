/* SPDX-License-Identifier: MIT */
/*
 * What the intake does with a sender when it is full, at moments that real senders meet once in a
 * million: a message that arrives between the look at the queue and the read.
 */
#include "lingerd/intake.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

enum { MOST = 3 };

struct world {
	int epoll;
	int listener; /* the end of a pipe: nobody connects */
	int sender;
	int other_ends[2];
	struct counters counters;
	struct limits limits;
	struct settings settings;
	struct users users;
	struct linger_engine *engine;
	struct intake *intake;
};

/* The queue of the sender: what a look finds, and how often it was looked at and read. */
static enum message_ahead ahead;
static int looks, reads, most_asked_for;

enum message_ahead message_look_ahead(int sender)
{
	(void)sender;
	looks++;
	return ahead;
}

/* One question, and then no more. */
struct message message_receive(int sender)
{
	(void)sender;
	ahead = AHEAD_NONE;
	return (struct message){ .kind = reads++ ? MESSAGE_NONE : MESSAGE_STATUS, .fd = -1 };
}

int message_receive_batch(int sender, struct message *ret, int most)
{
	assert_true(most >= 1);
	if (most > most_asked_for)
		most_asked_for = most;
	*ret = message_receive(sender);
	return 1;
}

struct message message_receive_last(int sender, int *waits)
{
	(void)waits;
	return message_receive(sender);
}

static int pipe_end(int *ret_other)
{
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	*ret_other = ends[1];
	return ends[0];
}

static int socket_end(int *ret_other)
{
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
	*ret_other = ends[1];
	return ends[0];
}

static int open_world(void **state)
{
	static const struct linger_io no_io;
	static struct world world;

	world = (struct world){ .epoll = epoll_create1(EPOLL_CLOEXEC) };
	assert_true(world.epoll >= 0);
	world.listener = pipe_end(&world.other_ends[0]);
	world.sender = socket_end(&world.other_ends[1]);
	world.limits = (struct limits){ .connections = MOST, .senders = 4, .reserve = 64 };
	settings_default(&world.settings);
	assert_int_equal(linger_engine_new(&world.engine, 64, &no_io, NULL, &world.users,
					   &world.counters),
			 0);
	assert_int_equal(intake_new(&world.intake,
				    &(struct intake_parts){
					    .epoll = world.epoll,
					    .listener = world.listener,
					    .limits = &world.limits,
					    .settings = &world.settings,
					    .users = &world.users,
					    .engine = world.engine,
					    .counters = &world.counters,
				    }),
			 0);
	intake_admit(world.intake, world.sender);
	looks = reads = most_asked_for = 0;
	*state = &world;
	return 0;
}

static int close_world(void **state)
{
	struct world *world = *state;

	intake_forget(world->intake, world->sender);
	intake_free(world->intake);
	linger_engine_free(world->engine);
	close(world->listener);
	close(world->other_ends[0]);
	close(world->other_ends[1]);
	close(world->epoll);
	return 0;
}

static void with_room_it_reads_without_a_look(void **state)
{
	struct world *world = *state;

	world->counters.lingers = MOST - 1;
	intake_sender_ready(world->intake, world->sender);
	assert_int_equal(looks, 0);
	assert_int_equal(reads, 2);
}

static void what_comes_after_the_look_is_not_read_without_one(void **state)
{
	struct world *world = *state;

	world->counters.lingers = MOST;
	ahead = AHEAD_NONE;
	intake_sender_ready(world->intake, world->sender);
	assert_int_equal(looks, 1);
	assert_int_equal(reads, 0);
	assert_int_equal(world->counters.intake_pauses, 0); /* it stays watched */
}

static void a_question_is_answered_also_when_full(void **state)
{
	struct world *world = *state;

	world->counters.lingers = MOST;
	ahead = AHEAD_WITHOUT_FDS;
	intake_sender_ready(world->intake, world->sender);
	assert_int_equal(looks, 2);
	assert_int_equal(reads, 1);
	assert_int_equal(world->counters.status_requests, 1);
}

static void a_handoff_waits_until_there_is_room(void **state)
{
	struct world *world = *state;

	world->counters.lingers = MOST;
	ahead = AHEAD_WITH_FDS;
	intake_sender_ready(world->intake, world->sender);
	assert_int_equal(reads, 0);
	assert_int_equal(world->counters.intake_pauses, 1);
	intake_sender_ready(world->intake, world->sender); /* an event of the same round */
	assert_int_equal(looks, 1);
	world->counters.lingers = 0;
	intake_resume(world->intake);
	intake_sender_ready(world->intake, world->sender);
	assert_true(reads > 0);
}

static void a_user_over_the_quota_waits_by_itself(void **state)
{
	struct world *world = *state;
	struct user *user = &world->users.list[0];

	assert_int_equal(user->uid, geteuid());
	user->policy.max_per_user = 2;
	user->open = 2;
	ahead = AHEAD_WITH_FDS;
	intake_sender_ready(world->intake, world->sender);
	assert_int_equal(reads, 0);
	assert_int_equal(world->counters.user_pauses, 1);
	assert_int_equal(world->counters.intake_pauses, 0);
	intake_resume(world->intake);
	intake_sender_ready(world->intake, world->sender);
	assert_int_equal(looks, 1); /* it still waits */
	user->open = 1;
	intake_resume(world->intake);
	intake_sender_ready(world->intake, world->sender);
	assert_int_equal(reads, 2);
}

static void a_quota_that_is_lifted_lets_them_go_on(void **state)
{
	struct world *world = *state;
	struct user *user = &world->users.list[0];

	user->policy.max_per_user = 1;
	user->open = 1;
	ahead = AHEAD_WITH_FDS;
	intake_sender_ready(world->intake, world->sender);
	user->policy.max_per_user = POLICY_NO_LIMIT;
	intake_resume(world->intake);
	intake_sender_ready(world->intake, world->sender);
	assert_true(reads > 0);
}

static void who_waits_for_the_user_waits_for_room_next(void **state)
{
	struct world *world = *state;
	struct user *user = &world->users.list[0];

	user->policy.max_per_user = 1;
	user->open = 1;
	world->counters.lingers = MOST;
	ahead = AHEAD_WITH_FDS;
	intake_sender_ready(world->intake, world->sender);
	user->open = 0;
	intake_resume(world->intake);
	intake_sender_ready(world->intake, world->sender);
	assert_int_equal(world->counters.user_pauses, 1);
	assert_int_equal(world->counters.intake_pauses, 1);
	assert_int_equal(reads, 0);
	world->counters.lingers = 0;
	intake_resume(world->intake);
	intake_sender_ready(world->intake, world->sender);
	assert_int_equal(reads, 2);
}

static int most_at_once(struct world *world, uint32_t senders, uint64_t lingers)
{
	world->limits.connections = 1000;
	world->limits.senders = senders;
	world->counters.lingers = lingers;
	most_asked_for = 0;
	intake_sender_ready(world->intake, world->sender);
	return most_asked_for;
}

/* A hostile message brings as many descriptors as a message can. */
static void it_receives_as_many_as_find_numbers_at_the_worst(void **state)
{
	struct world *world = *state;

	assert_int_equal(most_at_once(world, 1, 999), 1);
	assert_int_equal(most_at_once(world, 1, 1000 - 2 * MESSAGE_FDS_MAX), 2);
	assert_int_equal(most_at_once(world, 1, 1001 - 2 * MESSAGE_FDS_MAX), 1);
	/* One sender is connected, and nobody else comes meanwhile. */
	assert_int_equal(most_at_once(world, 1 + MESSAGE_FDS_MAX, 1000 - 2 * MESSAGE_FDS_MAX), 3);
	assert_int_equal(most_at_once(world, 4096, 900), MESSAGE_BATCH);
	/* And no more than there is room for. */
	assert_int_equal(most_at_once(world, 4096, 997), 3);
}

#define INTAKE_TEST(test) cmocka_unit_test_setup_teardown(test, open_world, close_world)

int main(void)
{
	const struct CMUnitTest tests[] = {
		INTAKE_TEST(with_room_it_reads_without_a_look),
		INTAKE_TEST(what_comes_after_the_look_is_not_read_without_one),
		INTAKE_TEST(a_question_is_answered_also_when_full),
		INTAKE_TEST(a_handoff_waits_until_there_is_room),
		INTAKE_TEST(a_user_over_the_quota_waits_by_itself),
		INTAKE_TEST(a_quota_that_is_lifted_lets_them_go_on),
		INTAKE_TEST(who_waits_for_the_user_waits_for_room_next),
		INTAKE_TEST(it_receives_as_many_as_find_numbers_at_the_worst),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
