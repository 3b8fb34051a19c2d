/* SPDX-License-Identifier: MIT */
/*
 * The engine in simulated time, on simulated sockets: what it reads, causes, faults, and above all that every fd is
 * closed exactly once, whatever happens. Deadlines, limits and the drain in the kernel have tests of their own.
 */
#include "lingerd/engine.c"

#include "tests/unit/engine_world.h"

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
		ENGINE_TEST(what_an_event_leaves_over_is_come_back_to),
		ENGINE_TEST(an_event_for_what_is_not_open_changes_nothing),
		ENGINE_TEST(the_time_of_a_linger_is_counted_when_it_ends),
		ENGINE_TEST(a_linger_of_two_processes_has_its_whole_time),
		ENGINE_TEST(the_end_of_the_daemon_cuts_what_is_open),
		ENGINE_TEST(every_fd_is_closed_once_under_random_events),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
