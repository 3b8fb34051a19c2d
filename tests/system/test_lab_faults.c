/* SPDX-License-Identifier: MIT */
/* What goes wrong in the middle of a run: lingerd is killed, somebody presses Ctrl-C, the lab
 * itself dies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/lab.h"

static struct lab lab;
static pid_t found;

static int set_up(void **state)
{
	(void)state;
	memset(&lab, 0, sizeof(lab));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	lab_clean_up(&lab);
	return 0;
}

static bool lingerd_runs(void *context)
{
	(void)context;
	found = find_descendant(lab.process.pid, "lingerd");
	return found;
}

static bool descends_no_more(void *context)
{
	return kill(*(pid_t *)context, 0) != 0;
}

static size_t count_matching(const char *pattern)
{
	char path[512];
	glob_t matches;
	size_t count;

	snprintf(path, sizeof(path), "%s/%s", lab.folder, pattern);
	if (glob(path, 0, NULL, &matches))
		return 0;
	count = matches.gl_pathc;
	globfree(&matches);
	return count;
}

/* 2000 connections of late peers, and ten seconds of native lingering in 4 workers once lingerd is gone: it is not over
 * before it is disturbed. */
static const char *const long_run[] = { "strategies.use=lingerd",
					"peers.use=late",
					"peers.late=get receive pause:20ms close",
					"load.connections=2000",
					"load.clients=20",
					"load.blocks=1",
					NULL };

static void a_killed_lingerd_costs_no_response(void **state)
{
	int status;

	(void)state;
	lab_start(&lab, long_run);
	assert_true(wait_until(lingerd_runs, NULL, 20));
	usleep(100 * 1000);
	assert_int_equal(kill(found, SIGKILL), 0);
	status = process_wait(&lab.process, 60);
	/* The scenario expects no fallbacks, and says so; the run itself is whole. */
	assert_int_equal(status, 3);
	assert_true(lab_figure(&lab, "lingerd", "late", "complete") == 2000);
	assert_true(lab_figure(&lab, "lingerd", "late", "fallbacks") > 0);
	assert_true(file_contains(lab_result(&lab, "run.json"), "lingerd did not end in order"));
	assert_true(file_contains(lab.process.err, "lingerd.late.fallbacks"));
}

static void a_first_trial_that_loses_a_worker_leaves_nothing(void **state)
{
	pid_t worker;

	(void)state;
	lab_start(&lab, long_run);
	assert_true(wait_until(lingerd_runs, NULL, 20));
	usleep(100 * 1000);
	worker = find_descendant(lab.process.pid, "lb-worker");
	assert_true(worker > 0);
	assert_int_equal(kill(worker, SIGKILL), 0);
	assert_int_equal(process_wait(&lab.process, 30), 1);
	assert_true(file_contains(lab.process.err, "ended in the middle of a trial"));
	assert_int_equal(count_matching("quick/*"), 0);
}

static void interrupted(int signal)
{
	pid_t daemon;

	lab_start(&lab, long_run);
	assert_true(wait_until(lingerd_runs, NULL, 20));
	daemon = found;
	assert_int_equal(process_end(&lab.process, signal, 20), 130);
	assert_true(wait_until(descends_no_more, &daemon, 5));
	assert_true(file_contains(lab.process.err, "interrupted"));
	assert_int_equal(count_matching("latest"), 0);
	assert_int_equal(count_matching("quick/*"), 0);
	assert_int_equal(count_matching("lingerbench-*"), 0);
}

static void ctrl_c_leaves_nothing_behind(void **state)
{
	(void)state;
	interrupted(SIGINT);
}

static void sigterm_leaves_nothing_behind(void **state)
{
	(void)state;
	interrupted(SIGTERM);
}

static bool another_lingerd_runs(void *context)
{
	pid_t now = find_descendant(lab.process.pid, "lingerd");

	return now && now != *(pid_t *)context;
}

static void ctrl_c_keeps_the_trials_that_are_done(void **state)
{
	const char *settings[] = { "strategies.use=lingerd",
				   "peers.use=late",
				   "peers.late=get receive pause:20ms close",
				   "load.connections=200",
				   "load.clients=10",
				   "load.blocks=20",
				   NULL };
	double connections;
	pid_t first;

	(void)state;
	lab_start(&lab, settings);
	assert_true(wait_until(lingerd_runs, NULL, 20));
	first = found;
	assert_true(wait_until(another_lingerd_runs, &first, 20));
	assert_int_equal(process_end(&lab.process, SIGINT, 20), 130);
	connections = lab_figure(&lab, "lingerd", "late", "connections");
	assert_true(connections > 0 && connections < 20 * 200);
	assert_true((int)connections % 200 == 0); /* whole ones only */
	assert_true(lab_figure(&lab, "lingerd", "late", "complete") == connections);
	assert_true(file_contains(lab_result(&lab, "run.json"), "of 20 trials"));
	assert_true(file_contains(lab_result(&lab, "run.json"), "\"planned_trials\": 20"));
	assert_int_equal(count_matching("quick/*.partial"), 0);
	assert_int_equal(count_matching("lingerbench-*"), 0);
}

static void no_process_outlives_a_killed_lab(void **state)
{
	pid_t daemon, worker;

	(void)state;
	lab_start(&lab, long_run);
	assert_true(wait_until(lingerd_runs, NULL, 20));
	daemon = found;
	usleep(100 * 1000);
	worker = find_descendant(lab.process.pid, "lb-worker");
	assert_true(worker > 0);
	assert_int_equal(process_end(&lab.process, SIGKILL, 5), 128 + SIGKILL);
	assert_true(wait_until(descends_no_more, &daemon, 5));
	assert_true(wait_until(descends_no_more, &worker, 5));
	assert_int_equal(count_matching("lingerbench-*"), 1); /* it could not clean up */
	/* What it had begun to write is not taken for a result. */
	assert_int_equal(count_matching("latest"), 0);
	assert_int_equal(count_matching("quick/*"), count_matching("quick/*.partial"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_killed_lingerd_costs_no_response, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_first_trial_that_loses_a_worker_leaves_nothing,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(ctrl_c_leaves_nothing_behind, set_up, tear_down),
		cmocka_unit_test_setup_teardown(sigterm_leaves_nothing_behind, set_up, tear_down),
		cmocka_unit_test_setup_teardown(ctrl_c_keeps_the_trials_that_are_done, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(no_process_outlives_a_killed_lab, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
