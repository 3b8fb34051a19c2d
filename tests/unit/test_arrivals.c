/* SPDX-License-Identifier: MIT */
/* Schedules of an open loop: their rate, their shape, and that a seed decides them. */
#include "lingerbench/arrivals.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdlib.h>

enum { MANY = 100000, PER_S = 2000 };

static void constant_arrivals_keep_their_distance(void **state)
{
	struct arrivals arrivals;

	(void)state;
	arrivals_begin(&arrivals, ARRIVALS_CONSTANT, PER_S, 7, 1000);
	for (uint64_t i = 0; i < MANY; i++) {
		/* Without drift, whatever the number. */
		assert_true(arrivals_due_ns(&arrivals) == 1000 + i * (NS_PER_S / PER_S));
		arrivals_pass(&arrivals);
	}
}

static void a_rate_that_does_not_divide_a_second_does_not_drift(void **state)
{
	struct arrivals arrivals;

	(void)state;
	arrivals_begin(&arrivals, ARRIVALS_CONSTANT, 3, 7, 0);
	for (int i = 0; i < 3 * 1000; i++)
		arrivals_pass(&arrivals);
	assert_in_range(arrivals_due_ns(&arrivals), 1000 * NS_PER_S - 1000, 1000 * NS_PER_S + 1000);
}

/* Of an exponential distribution: mean and standard deviation are the same, and a share of 1/e is longer than the mean. */
static void poisson_arrivals_are_exponential(void **state)
{
	double mean_ns = (double)NS_PER_S / PER_S, sum = 0, squares = 0;
	struct arrivals arrivals;
	uint64_t before = 0;
	int longer = 0;

	(void)state;
	arrivals_begin(&arrivals, ARRIVALS_POISSON, PER_S, 7, 0);
	for (int i = 0; i < MANY; i++) {
		double gap = (double)(arrivals_due_ns(&arrivals) - before);

		before = arrivals_due_ns(&arrivals);
		sum += gap;
		squares += gap * gap;
		longer += gap > mean_ns;
		arrivals_pass(&arrivals);
	}
	assert_true(fabs(sum / MANY / mean_ns - 1) < 0.01);
	assert_true(fabs(sqrt(squares / MANY - pow(sum / MANY, 2)) / mean_ns - 1) < 0.02);
	assert_true(fabs((double)longer / MANY - exp(-1)) < 0.01);
}

static void one_seed_gives_one_schedule(void **state)
{
	struct arrivals one, again, other;
	int different = 0;

	(void)state;
	arrivals_begin(&one, ARRIVALS_POISSON, PER_S, 7, 0);
	arrivals_begin(&again, ARRIVALS_POISSON, PER_S, 7, 0);
	arrivals_begin(&other, ARRIVALS_POISSON, PER_S, 8, 0);
	for (int i = 0; i < 1000; i++) {
		assert_true(arrivals_due_ns(&one) == arrivals_due_ns(&again));
		different += arrivals_due_ns(&one) != arrivals_due_ns(&other);
		arrivals_pass(&one);
		arrivals_pass(&again);
		arrivals_pass(&other);
	}
	assert_true(different > 990);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(constant_arrivals_keep_their_distance),
		cmocka_unit_test(a_rate_that_does_not_divide_a_second_does_not_drift),
		cmocka_unit_test(poisson_arrivals_are_exponential),
		cmocka_unit_test(one_seed_gives_one_schedule),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
