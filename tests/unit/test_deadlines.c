/* SPDX-License-Identifier: MIT */
/* The wheel of deadlines: when they come, in which order, and what lies beyond its reach. */
#include "lingerd/deadlines.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdlib.h>

enum { SIZE = 64 };

static const uint64_t TICK = DEADLINES_TICK_NS;

static struct deadlines wheel;

static int set_up(void **state)
{
	(void)state;
	return deadlines_init(&wheel, SIZE);
}

static int tear_down(void **state)
{
	(void)state;
	deadlines_free(&wheel);
	return 0;
}

static void expect_due(uint64_t now, uint32_t index)
{
	uint32_t due = UINT32_MAX;

	assert_true(deadlines_take_due(&wheel, now, &due));
	assert_int_equal(due, index);
	assert_false(deadlines_has(&wheel, index));
}

static void expect_none(uint64_t now)
{
	uint32_t index = 77;

	assert_false(deadlines_take_due(&wheel, now, &index));
	assert_int_equal(index, 77);
}

static void they_come_when_their_tick_is_over(void **state)
{
	(void)state;
	assert_true(deadlines_next_ns(&wheel) == UINT64_MAX);
	deadlines_add(&wheel, 0, 0, 5 * TICK);
	deadlines_add(&wheel, SIZE - 1, 0, 5 * TICK + 1);
	assert_true(deadlines_next_ns(&wheel) == 5 * TICK);
	expect_none(5 * TICK - 1);
	expect_due(5 * TICK, 0);
	expect_none(6 * TICK - 1);
	assert_true(deadlines_next_ns(&wheel) == 6 * TICK);
	expect_due(6 * TICK, SIZE - 1);
	assert_true(deadlines_next_ns(&wheel) == UINT64_MAX);
}

static void one_that_is_over_comes_next(void **state)
{
	(void)state;
	deadlines_add(&wheel, 1, 100 * TICK, 103 * TICK);
	expect_none(102 * TICK + 1);
	deadlines_add(&wheel, 2, 102 * TICK + 1, 7);
	assert_true(deadlines_next_ns(&wheel) <= 103 * TICK);
	expect_due(103 * TICK, 1);
	expect_due(103 * TICK, 2);
}

static void what_lies_beyond_its_reach_waits_for_its_turn(void **state)
{
	const uint64_t far = 1000 * TICK;
	int wakeups = 0;

	(void)state;
	deadlines_add(&wheel, 1, 0, far);
	for (uint64_t now = 0; now < far; now = deadlines_next_ns(&wheel)) {
		expect_none(now);
		wakeups++;
	}
	assert_in_range(wakeups, 1, 5);
	assert_true(deadlines_next_ns(&wheel) == far);
	expect_due(far, 1);
}

/* Those of one timeout, on their way through several turns of the wheel. */
static void nobody_overtakes_another_of_its_class(void **state)
{
	const uint64_t timeout = 600 * TICK + 3;
	uint64_t now = 12345;
	uint32_t expected = 0;

	(void)state;
	for (uint32_t i = 0; i < SIZE; i++) {
		now += TICK / 5;
		deadlines_add(&wheel, i, now, now + timeout);
	}
	while (expected < SIZE) {
		uint32_t index;

		now += TICK / 3;
		while (deadlines_take_due(&wheel, now, &index))
			assert_int_equal(index, expected++);
	}
}

static void after_a_long_pause_they_come_in_order(void **state)
{
	(void)state;
	deadlines_add(&wheel, 1, 0, 200 * TICK);
	deadlines_add(&wheel, 2, 0, 2 * TICK);
	deadlines_add(&wheel, 3, 0, 90 * TICK);
	expect_due(100000 * TICK, 2);
	expect_due(100000 * TICK, 3);
	expect_due(100000 * TICK, 1);
	expect_none(100000 * TICK);
}

static void an_empty_wheel_is_not_turned(void **state)
{
	const uint64_t late = 1ULL << 60;

	(void)state;
	deadlines_add(&wheel, 1, late, late + TICK);
	assert_true(deadlines_next_ns(&wheel) > late);
	assert_true(deadlines_next_ns(&wheel) <= late + 2 * TICK);
	deadlines_move(&wheel, 1, late, late + 9 * TICK);
	assert_true(deadlines_next_ns(&wheel) > late + 8 * TICK);
	deadlines_remove(&wheel, 1);
	expect_none(late + 10 * TICK);
}

static void a_random_run_agrees_with_a_plain_model(void **state)
{
	uint64_t at[SIZE] = { 0 }, now = 1; /* 0: no member */
	uint32_t index;

	(void)state;
	srandom(1);
	for (int step = 0; step < 300000; step++) {
		uint64_t earliest = UINT64_MAX;

		index = (uint32_t)random() % SIZE;
		if (random() % 4 == 0)
			now += (uint64_t)random() % (random() % 1000 ? TICK : 400 * TICK);
		while (deadlines_take_due(&wheel, now, &index)) {
			assert_true(at[index] && at[index] <= now);
			at[index] = 0;
		}
		index = (uint32_t)random() % SIZE;
		assert_int_equal(deadlines_has(&wheel, index), at[index] != 0);
		if (at[index] && random() % 2) {
			deadlines_remove(&wheel, index);
			at[index] = 0;
		} else {
			bool had = at[index];

			at[index] = now + (uint64_t)random() % (700 * TICK);
			(had ? deadlines_move : deadlines_add)(&wheel, index, now, at[index]);
		}
		for (uint32_t i = 0; i < SIZE; i++) {
			assert_true(!at[i] || at[i] + TICK > now);
			if (at[i] && at[i] < earliest)
				earliest = at[i];
		}
		assert_true(earliest == UINT64_MAX || deadlines_next_ns(&wheel) < earliest + TICK);
	}
}

#define WHEEL_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WHEEL_TEST(they_come_when_their_tick_is_over),
		WHEEL_TEST(one_that_is_over_comes_next),
		WHEEL_TEST(what_lies_beyond_its_reach_waits_for_its_turn),
		WHEEL_TEST(nobody_overtakes_another_of_its_class),
		WHEEL_TEST(after_a_long_pause_they_come_in_order),
		WHEEL_TEST(an_empty_wheel_is_not_turned),
		WHEEL_TEST(a_random_run_agrees_with_a_plain_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
