/* SPDX-License-Identifier: MIT */
/* What [expect] says, held against a table: which rows it is of, and what it takes for it to hold. */
#include "lingerbench/judging.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void a_figure_is_compared_with_another_of_its_row_or_peer(void **state)
{
	const char *cells[] = { "strategy", "peer",   "n",  "m", "native",  "late", "10", "",
				"native",   "prompt", "40", "",	 "lingerd", "late", "35", "3" };
	const struct csvtable table = { .column_count = 4, .row_count = 3, .cells = cells };
	struct expectation expectation = { .figure = { "lingerd", "late", "n" },
					   .operator= ">=",
					   .limit = 0.9,
					   .is_relative = true,
					   .other = { "native", "prompt", "n" } };
	static const struct scenario scenario;

	(void)state;
	assert_false(check_one(&table, &scenario, &expectation)); /* 35 >= 36 */
	expectation.limit = 0.8;
	assert_true(check_one(&table, &scenario, &expectation));
	expectation.limit = 3.5;
	strcpy(expectation.other.peer, "*");
	assert_true(
		check_one(&table, &scenario, &expectation)); /* 35 >= 35, of native under late */
	strcpy(expectation.other.column, "m");
	assert_false(check_one(&table, &scenario, &expectation)); /* not known */
	strcpy(expectation.other.strategy, "*");
	assert_true(check_one(&table, &scenario, &expectation)); /* 35 >= 3.5 * 3 */
}

static void what_the_tracer_tells_is_not_expected_of_an_untraced_arm(void **state)
{
	const char *cells[] = { "strategy", "peer",	      "traced", "close", "late",
				"10",	    "close_untraced", "late",	"" };
	const struct csvtable table = { .column_count = 3, .row_count = 2, .cells = cells };
	static struct scenario scenario = {
		.arms = { { .strategy = { .name = "close" } },
			  { .strategy = { .name = "close_untraced", .untraced = true } } },
		.arm_count = 2
	};
	struct expectation expectation = {
		.figure = { "*", "*", "traced" }, .operator= ">=", .limit = 1
	};

	(void)state;
	assert_true(check_one(&table, &scenario, &expectation));
	expectation.limit = 11;
	assert_false(check_one(&table, &scenario, &expectation));
	/* Of no row, because all of its trials are void, nothing holds. */
	strcpy(expectation.figure.peer, "prompt");
	expectation.limit = 0;
	assert_false(check_one(&table, &scenario, &expectation));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_figure_is_compared_with_another_of_its_row_or_peer),
		cmocka_unit_test(what_the_tracer_tells_is_not_expected_of_an_untraced_arm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
