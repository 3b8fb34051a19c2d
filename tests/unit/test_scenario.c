/* SPDX-License-Identifier: MIT */
/* Scenario files: what they say arrives, and no mistake passes. */
#include "lingerbench/scenario.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <unistd.h>

#include "tests/support/process.h"

static char folder[256];
static char path[300];

static int set_up(void **state)
{
	(void)state;
	make_folder(folder);
	snprintf(path, sizeof(path), "%s/case.ini", folder);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	remove_folder(folder);
	return 0;
}

static int load(struct scenario *scenario, const char *text, const char *const settings[],
		size_t count)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	return scenario_load(scenario, path, settings, count);
}

#define LEAST "[strategies]\nuse = close\n[peers]\nuse = prompt\n"

static void a_file_fills_a_scenario(void **state)
{
	static struct scenario scenario;
	const char *text =
		"; a question\n[scenario]\ntitle = Why?\n[server]\nworkers = 7\n"
		"[response]\nbytes = 64k\n"
		"[load]\nconnections = 9\nclients = 3\nblocks = 2\nseed = 5\ntimeout = 1500ms\n"
		"[strategies]\nuse = close lingerd\nso-linger = 3s\nidle-timeout = 100ms\n"
		"[peers]\nuse = prompt odd\nodd = get pause:1s close\nprompt = get close\n"
		"[trace]\nenabled = no\n[expect]\nclose.odd.truncated = >= 1\n"
		"lingerd.*.complete = > 0.5 * close.*.connections\n";

	(void)state;
	assert_int_equal(load(&scenario, text, NULL, 0), 0);
	assert_string_equal(scenario.name, "case");
	assert_string_equal(scenario.title, "Why?");
	assert_int_equal(scenario.workers, 7);
	assert_int_equal(scenario.response_bytes, 65536);
	assert_int_equal(scenario.connections, 9);
	assert_int_equal(scenario.clients, 3);
	assert_int_equal(scenario.blocks, 2);
	assert_int_equal(scenario.seed, 5);
	assert_int_equal(scenario.timeout_ns, 1500000000);
	assert_int_equal(scenario.settings.so_linger_s, 3);
	assert_int_equal(scenario.settings.idle_timeout_ns, 100000000);
	assert_int_equal(scenario.arm_count, 2);
	assert_string_equal(scenario.arms[1].strategy.name, "lingerd");
	assert_int_equal(scenario.peer_count, 2);
	assert_string_equal(scenario.peers[0]->script, "get close");
	assert_int_equal(scenario.peers[1]->step_count, 3);
	assert_false(scenario.trace);
	assert_int_equal(scenario.expectation_count, 2);
	assert_string_equal(scenario.expectations[0].operator, ">=");
	assert_false(scenario.expectations[0].is_relative);
	assert_true(scenario.expectations[1].is_relative);
	assert_true(scenario.expectations[1].limit == 0.5);
	assert_string_equal(scenario.expectations[1].other.strategy, "close");
	assert_string_equal(scenario.expectations[1].other.column, "connections");
}

static void settings_replace_what_the_file_says(void **state)
{
	static struct scenario scenario;
	const char *settings[] = { "server.workers=2", "strategies.use=lingerd",
				   "peers.use=late mine", "peers.mine=get reset",
				   "trace.enabled=no" };

	(void)state;
	assert_int_equal(load(&scenario, LEAST, settings, 5), 0);
	assert_int_equal(scenario.workers, 2);
	assert_int_equal(scenario.arm_count, 1);
	assert_string_equal(scenario.arms[0].strategy.name, "lingerd");
	assert_int_equal(scenario.peer_count, 2);
	assert_string_equal(scenario.peers[1]->script, "get reset");
	assert_false(scenario.trace);
}

static void an_expectation_replaces_those_of_the_file(void **state)
{
	static struct scenario scenario;
	const char *file =
		LEAST "[expect]\nclose.prompt.truncated = >= 1\nclose.prompt.truncated = <= 9\n"
		      "close.prompt.complete = = 0\n";
	const char *settings[] = { "expect.close.prompt.truncated== 0",
				   "expect.close.prompt.truncated=< 1" };

	(void)state;
	assert_int_equal(load(&scenario, file, settings, 2), 0);
	assert_int_equal(scenario.expectation_count, 3);
	assert_string_equal(scenario.expectations[0].figure.column, "complete");
	assert_string_equal(scenario.expectations[1].operator, "=");
	assert_string_equal(scenario.expectations[2].operator, "<");
}

static void an_open_loop_can_be_closed(void **state)
{
	static struct scenario scenario;
	const char *settings[] = { "load.arrivals=closed", "load.rate=0", "load.duration=0ms" };

	(void)state;
	assert_int_equal(load(&scenario,
			      LEAST "[load]\narrivals = constant\nrate = 7\nduration = 1s\n",
			      settings, 3),
			 0);
	assert_int_equal(scenario.arrivals, ARRIVALS_CLOSED);
	assert_int_equal(scenario.rate + scenario.duration_ns, 0);
}

static void a_name_is_that_of_the_file(void **state)
{
	static const struct {
		const char *file, *name;
	} known[] = { { "v2.late.ini", "v2.late" }, { "plain", "plain" }, { "x.inix", "x.inix" } };
	static const char *const hidden[] = { ".ini", ".early.ini" };
	static struct scenario scenario;

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		char text[256];

		snprintf(text, sizeof(text), "./%s", known[i].file);
		locate(&scenario, text);
		assert_string_equal(scenario.name, known[i].name);
	}
	/* Its results would be hidden, or be in no folder of their own. */
	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, hidden[i]);
		assert_int_equal(load(&scenario, LEAST, NULL, 0), -EINVAL);
	}
}

static void assert_arms(const struct scenario *scenario, const char *const labels[])
{
	size_t i = 0;

	for (; labels[i]; i++) {
		assert_true(i < scenario->arm_count);
		assert_string_equal(scenario->arms[i].label, labels[i]);
	}
	assert_int_equal(scenario->arm_count, i);
}

#define SERVERS                                                                                    \
	"[server]\nprogram = nginx gunicorn\nprogram = apache-event\n[strategies]\n"               \
	"use = native close lingerd lingerd_again\nuse = lingering_close_on\n[peers]\nuse = "      \
	"late\n"

static void each_server_meets_the_strategies_that_it_has(void **state)
{
	static struct scenario scenario;
	const char *const labels[] = { "nginx/lingering_close_on",   "gunicorn/close",
				       "gunicorn/lingerd",	     "gunicorn/lingerd_again",
				       "apache-event/native",	     "apache-event/lingerd",
				       "apache-event/lingerd_again", NULL };

	(void)state;
	assert_int_equal(load(&scenario, SERVERS, NULL, 0), 0);
	assert_int_equal(scenario.server_count, 3);
	assert_arms(&scenario, labels);
	assert_string_equal(scenario.arms[1].program->name, "gunicorn");
	assert_string_equal(scenario.arms[3].strategy.name, "lingerd_again");
	assert_true(scenario.arms[3].strategy.needs_lingerd);
}

/* What is left without a partner goes, too, and the only server needs no name. */
static void servers_can_be_narrowed_and_so_can_strategies(void **state)
{
	static struct scenario scenario;
	const char *settings[] = { "server.program=gunicorn", "strategies.use=lingerd",
				   "server.program=apache-event gunicorn" };
	const char *const one[] = { "close", "lingerd", "lingerd_again", NULL };
	const char *const lingerd[] = { "gunicorn/lingerd", "apache-event/lingerd", NULL };
	const char *const both[] = { "apache-event/lingerd", "gunicorn/lingerd", NULL };

	(void)state;
	assert_int_equal(load(&scenario, SERVERS, settings, 1), 0);
	assert_int_equal(scenario.server_count, 1);
	assert_arms(&scenario, one);
	assert_int_equal(load(&scenario, SERVERS, settings + 1, 1), 0);
	assert_int_equal(scenario.server_count, 2);
	assert_arms(&scenario, lingerd);
	assert_int_equal(load(&scenario, SERVERS, settings + 1, 2), 0);
	assert_arms(&scenario, both);
	/* The last one counts. */
	assert_int_equal(load(&scenario, SERVERS, settings, 3), 0);
	assert_arms(&scenario, both);
}

static void the_labs_own_server_has_two_names(void **state)
{
	static struct scenario scenario;
	const char *settings[] = { "server.program=prefork", "server.program=prefork builtin" };
	const char *const close[] = { "close", NULL };

	(void)state;
	assert_int_equal(load(&scenario, LEAST, settings, 1), 0);
	assert_arms(&scenario, close);
	assert_int_equal(load(&scenario, LEAST, settings + 1, 1), -EINVAL);
}

static void servers_and_strategies_must_fit(void **state)
{
	static struct scenario scenario;
	static const struct {
		const char *text;
		const char *settings[2];
	} wrong[] = {
		/* Of a file, each server needs a strategy, and each strategy a server. */
		{ "[server]\nprogram = nginx uwsgi\n" LEAST, { NULL } },
		{ SERVERS "[strategies]\nuse = so_linger\n", { NULL } },
		{ SERVERS "[server]\nprogram = uwsgi nginx\n", { NULL } },
		/* So does what --set names. */
		{ SERVERS, { "server.program=nginx", "strategies.use=lingering_close_on close" } },
		{ SERVERS, { "server.program=nginx uwsgi", "strategies.use=close" } },
		{ SERVERS, { "server.program=uwsgi nginy" } },
		{ SERVERS, { "server.program=" } },
		{ SERVERS, { "strategies.use=so_linger" } },
		{ SERVERS, { "strategies.use=close_killed" } },
		/* Nobody but the lab's own can be held. */
		{ SERVERS, { "strategies.added-hold.close=1ms" } },
	};
	const char *settings[] = { "server.program=builtin uwsgi",
				   "strategies.added-hold.close=1ms" };

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		const char *const *given = wrong[i].settings;

		if (load(&scenario, wrong[i].text, given, !!given[0] + !!given[1]) != -EINVAL)
			fail_msg("case %zu is accepted", i);
	}
	/* Servers that the file does not know are as good. */
	assert_int_equal(load(&scenario, SERVERS, settings, 2), 0);
	assert_int_equal(scenario.arm_count, 6);
}

static void an_expectation_may_name_a_server(void **state)
{
	static struct scenario scenario;
	const char *narrow[] = { "server.program=gunicorn" };
	static const char *const wrong[] = {
		"nginy/close.late.complete = > 0\n",
		"uwsgi/close.late.complete = > 0\n", /* there is one, but not here */
		"nginx/close.late.complete = > 0\n",
		"nginx/*.late.complete = > 0.5 * close.late.complete\n",
		"native.late.complete = > 0.5 * close.late.complete\n",
		"*.late.complete = > 0.5 * nginx/close.late.complete\n",
		"*.late.complete = > 0.5 * nginx/late.complete\n",
		"/close.late.complete = > 0\n",
		"nginx/gunicorn/close.late.complete = > 0\n",
	};
	const char *right =
		SERVERS "[expect]\nnginx/*.late.complete = > 0\n"
			"*/lingerd.late.complete = >= 1 * apache-event/native.late.complete\n"
			"lingerd.late.complete = >= 1 * native.late.complete\n";
	char text[1024];

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		snprintf(text, sizeof(text), SERVERS "[expect]\n%s", wrong[i]);
		if (load(&scenario, text, NULL, 0) != -EINVAL)
			fail_msg("accepted: %s", wrong[i]);
	}
	assert_int_equal(load(&scenario, right, NULL, 0), 0);
	assert_string_equal(scenario.expectations[0].figure.server, "nginx");
	assert_string_equal(scenario.expectations[0].figure.strategy, "*");
	assert_string_equal(scenario.expectations[1].figure.server, "*");
	assert_string_equal(scenario.expectations[1].other.server, "apache-event");
	assert_string_equal(scenario.expectations[2].other.server, "*");
	/* What --set has left out is none of the mistakes. */
	assert_int_equal(load(&scenario, right, narrow, 1), 0);
}

static void wrong_settings_are_refused(void **state)
{
	static struct scenario scenario;
	const char *settings[] = {
		"workers=2",	       "server.workers",    "server.workers=0",
		"server.workers=many", "servers.workers=2", "server.worker=2",
		"peers.use=nobody",    "peers.use=",	    "strategies.use=hope"
	};

	(void)state;
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
		assert_int_equal(load(&scenario, LEAST, &settings[i], 1), -EINVAL);
}

static void every_mistake_is_named_with_its_line(void **state)
{
	static struct scenario scenario;
	char err[300], line[340];
	int saved = dup(STDERR_FILENO);
	FILE *messages;

	(void)state;
	snprintf(err, sizeof(err), "%s/err", folder);
	messages = freopen(err, "w", stderr);
	assert_non_null(messages);
	assert_int_equal(load(&scenario,
			      "[server]\nworkers = 0\nwrokers = 4\n[sever]\nworkers = 1\nnonsense\n"
			      "[load]\ntimeout = 10\n" LEAST,
			      NULL, 0),
			 -EINVAL);
	fflush(stderr);
	dup2(saved, STDERR_FILENO);
	close(saved);
	for (const int *number = (const int[]){ 2, 3, 5, 6, 8, 0 }; *number; number++) {
		snprintf(line, sizeof(line), "%s:%d: ", path, *number);
		assert_true(file_contains(err, line));
	}
}

static void a_line_too_long_is_refused_not_cut(void **state)
{
	static struct scenario scenario;
	char text[1024];

	(void)state;
	snprintf(text, sizeof(text), LEAST "[scenario]\ntitle = %0400d\n", 1);
	assert_int_equal(load(&scenario, text, NULL, 0), -EINVAL);
}

static void what_is_not_there_or_not_a_file(void **state)
{
	static struct scenario scenario;

	(void)state;
	assert_int_equal(scenario_load(&scenario, "./no-such.ini", NULL, 0), -ENOENT);
	assert_true(scenario_load(&scenario, folder, NULL, 0) < 0);
	assert_int_equal(load(&scenario, "", NULL, 0), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_file_fills_a_scenario, set_up, tear_down),
		cmocka_unit_test_setup_teardown(settings_replace_what_the_file_says, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(an_expectation_replaces_those_of_the_file, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(an_open_loop_can_be_closed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_name_is_that_of_the_file, set_up, tear_down),
		cmocka_unit_test_setup_teardown(each_server_meets_the_strategies_that_it_has,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(servers_can_be_narrowed_and_so_can_strategies,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_labs_own_server_has_two_names, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(servers_and_strategies_must_fit, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_expectation_may_name_a_server, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(wrong_settings_are_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(every_mistake_is_named_with_its_line, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_line_too_long_is_refused_not_cut, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(what_is_not_there_or_not_a_file, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
