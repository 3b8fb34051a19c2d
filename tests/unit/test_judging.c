/* SPDX-License-Identifier: MIT */
/* What [expect] says, held against a table: which rows it is of, and what it takes for it to hold. */
#include "lingerbench/judging.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define ARM(server, strategy_name, ...)                                                            \
	{                                                                                          \
		.program = &(server), .strategy = { .name = (strategy_name), __VA_ARGS__ },        \
		.label = strategy_name                                                             \
	}

static const struct peer late = { .name = "late" }, prompt = { .name = "prompt" };

static bool all_hold(struct outcomes outcomes)
{
	return outcomes.judged && outcomes.rows == outcomes.judged && !outcomes.broken;
}

static void a_figure_is_compared_with_another_of_its_row_or_peer(void **state)
{
	const char *cells[] = { "server",  "strategy", "peer",	 "n",  "m",
				"prefork", "close",    "late",	 "10", "",
				"prefork", "close",    "prompt", "40", "",
				"prefork", "lingerd",  "late",	 "35", "3" };
	const struct csvtable table = { .column_count = 5, .row_count = 3, .cells = cells };
	struct expectation expectation = { .figure = { "*", "lingerd", "late", "n" },
					   .operator= ">=",
					   .limit = 0.9,
					   .is_relative = true,
					   .other = { "*", "close", "prompt", "n" } };
	static struct scenario scenario = { .arms = { ARM(program_builtin, "close"),
						      ARM(program_builtin, "lingerd") },
					    .arm_count = 2,
					    .peers = { &late, &prompt },
					    .peer_count = 2 };

	(void)state;
	assert_int_equal(check_one(&table, &scenario, &expectation).broken, 1); /* 35 >= 36 */
	expectation.limit = 0.8;
	assert_true(all_hold(check_one(&table, &scenario, &expectation)));
	expectation.limit = 3.5;
	strcpy(expectation.other.peer, "*");
	assert_true(all_hold(
		check_one(&table, &scenario, &expectation))); /* 35 >= 35, of close under late */
	strcpy(expectation.other.column, "m");
	assert_int_equal(check_one(&table, &scenario, &expectation).broken, 1); /* not known */
	strcpy(expectation.other.strategy, "*");
	assert_true(all_hold(check_one(&table, &scenario, &expectation))); /* 35 >= 3.5 * 3 */
}

/* Two servers that both have close, and one each of their own. */
static const char *const servers_cells[] = { "server", "strategy", "peer",    "n",     "uwsgi",
					     "close",  "late",	   "10",      "uwsgi", "lingerd",
					     "late",   "11",	   "prefork", "close", "late",
					     "20",     "nginx",	   "off",     "late",  "30" };
static const struct csvtable servers_table = { .column_count = 4,
					       .row_count = 4,
					       .cells = (const char **)servers_cells };
static struct scenario servers = {
	.arms = { ARM(program_uwsgi, "close"), ARM(program_uwsgi, "lingerd"),
		  ARM(program_builtin, "close"), ARM(program_nginx, "off") },
	.arm_count = 4,
	.peers = { &late },
	.peer_count = 1
};

static struct outcomes of_servers(const char *server, const char *strategy, const char *operator,
				  double limit)
{
	struct expectation expectation = { .figure = { .peer = "late", .column = "n" },
					   .limit = limit };

	strcpy(expectation.figure.server, server);
	strcpy(expectation.figure.strategy, strategy);
	strcpy(expectation.operator, operator);
	return check_one(&servers_table, &servers, &expectation);
}

static void a_server_can_be_named_or_be_each_that_has_the_strategy(void **state)
{
	(void)state;
	assert_int_equal(of_servers("*", "*", ">", 0).rows, 4);
	assert_int_equal(of_servers("*", "close", ">", 0).rows, 2);
	assert_int_equal(of_servers("*", "close", ">", 15).broken, 1);
	assert_true(all_hold(of_servers("uwsgi", "close", "=", 10)));
	assert_true(all_hold(of_servers("uwsgi", "*", "<", 12)));
	assert_int_equal(of_servers("uwsgi", "*", "<", 12).rows, 2);
	/* By either of its names. */
	assert_true(all_hold(of_servers("builtin", "close", "=", 20)));
	assert_true(all_hold(of_servers("prefork", "close", "=", 20)));
	/* What is not run is not judged. */
	assert_int_equal(of_servers("gunicorn", "close", "=", 0).judged, 0);
	assert_int_equal(of_servers("nginx", "close", "=", 0).judged, 0);
}

static void the_other_figure_is_of_the_same_server_or_of_another(void **state)
{
	struct expectation expectation = { .figure = { "*", "*", "late", "n" },
					   .operator= "<",
					   .limit = 2,
					   .is_relative = true,
					   .other = { "*", "close", "*", "n" } };
	struct outcomes outcomes;

	(void)state;
	/* nginx has no close, and nothing to be compared with: 10 and 11 with 10, 20 with 20. */
	outcomes = check_one(&servers_table, &servers, &expectation);
	assert_int_equal(outcomes.judged, 3);
	assert_true(all_hold(outcomes));
	/* All of them with one: 10, 11, 20 and 30 with twice 10. */
	strcpy(expectation.other.server, "uwsgi");
	outcomes = check_one(&servers_table, &servers, &expectation);
	assert_int_equal(outcomes.judged, 4);
	assert_int_equal(outcomes.broken, 2);
	strcpy(expectation.other.server, "prefork");
	assert_true(all_hold(check_one(&servers_table, &servers, &expectation)));
}

static void what_the_tracer_tells_is_not_expected_of_an_untraced_arm(void **state)
{
	const char *cells[] = { "server",  "strategy",	     "peer", "traced",
				"prefork", "close",	     "late", "10",
				"prefork", "close_untraced", "late", "" };
	const struct csvtable table = { .column_count = 4, .row_count = 2, .cells = cells };
	static struct scenario scenario = { .arms = { ARM(program_builtin, "close"),
						      ARM(program_builtin, "close_untraced",
							  .untraced = true) },
					    .arm_count = 2,
					    .peers = { &late, &prompt },
					    .peer_count = 2,
					    .trace = true };
	struct expectation expectation = {
		.figure = { "*", "*", "late", "traced" }, .operator= ">=", .limit = 1
	};

	(void)state;
	assert_true(all_hold(check_one(&table, &scenario, &expectation)));
	expectation.limit = 11;
	assert_int_equal(check_one(&table, &scenario, &expectation).broken, 1);
	scenario.trace = false;
	assert_int_equal(check_one(&table, &scenario, &expectation).judged, 0);
	scenario.trace = true;
	/* Of no row, because all of its trials are void, nothing holds. */
	scenario.expectations[0] = expectation;
	scenario.expectation_count = 1;
	strcpy(scenario.expectations[0].figure.peer, "prompt");
	scenario.expectations[0].limit = 0;
	assert_int_equal(judging_check(&table, &scenario).judged, 1);
	assert_int_equal(judging_check(&table, &scenario).broken, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_figure_is_compared_with_another_of_its_row_or_peer),
		cmocka_unit_test(a_server_can_be_named_or_be_each_that_has_the_strategy),
		cmocka_unit_test(the_other_figure_is_of_the_same_server_or_of_another),
		cmocka_unit_test(what_the_tracer_tells_is_not_expected_of_an_untraced_arm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
