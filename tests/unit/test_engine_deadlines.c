/* SPDX-License-Identifier: MIT */
/* The engine's deadlines in simulated time: when they come, whom they spare, and whose timeouts they are. */
#include "lingerd/engine.c"

#include "tests/unit/engine_world.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
