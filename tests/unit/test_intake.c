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
	int listener; /* both are ends of pipes: nobody connects, nothing is read from them */
	int sender;
	int other_ends[2];
	struct counters counters;
	struct linger_engine *engine;
	struct intake *intake;
};

/* The queue of the sender: what a look finds, and how often it was looked at and read. */
static enum message_ahead ahead;
static int looks, reads;

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

static int pipe_end(int *ret_other)
{
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	*ret_other = ends[1];
	return ends[0];
}

static int open_world(void **state)
{
	static const struct linger_io no_io;
	static const struct limits limits = { .connections = MOST, .senders = 4, .reserve = 64 };
	static struct world world;

	world = (struct world){ .epoll = epoll_create1(EPOLL_CLOEXEC) };
	assert_true(world.epoll >= 0);
	world.listener = pipe_end(&world.other_ends[0]);
	world.sender = pipe_end(&world.other_ends[1]);
	assert_int_equal(linger_engine_new(&world.engine, 64, &no_io, NULL, &world.counters), 0);
	assert_int_equal(intake_new(&world.intake, world.epoll, world.listener, &limits,
				    world.engine, &world.counters),
			 0);
	admit(world.intake, world.sender);
	looks = reads = 0;
	*state = &world;
	return 0;
}

static int close_world(void **state)
{
	struct world *world = *state;

	forget(world->intake, world->sender);
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
	assert_int_equal(reads, 2);
}

#define INTAKE_TEST(test) cmocka_unit_test_setup_teardown(test, open_world, close_world)

int main(void)
{
	const struct CMUnitTest tests[] = {
		INTAKE_TEST(with_room_it_reads_without_a_look),
		INTAKE_TEST(what_comes_after_the_look_is_not_read_without_one),
		INTAKE_TEST(a_question_is_answered_also_when_full),
		INTAKE_TEST(a_handoff_waits_until_there_is_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
