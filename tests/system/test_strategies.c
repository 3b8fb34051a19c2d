/* SPDX-License-Identifier: MIT */
/*
 * Each strategy end to end: real workers, real clients, every byte checked. What it does to the
 * responses and to the workers is asserted as counts, and as times only with wide bounds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "tests/support/lab.h"

enum { CONNECTIONS = 24 };

static struct lab lab;

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

/* Also with one setting more, if that is not NULL. */
static void run_strategy_with(const char *strategy, const char *setting)
{
	char use[64], connections[64];
	const char *settings[] = { use,	    connections, "load.clients=24", "load.blocks=1",
				   setting, NULL };
	int status;

	snprintf(use, sizeof(use), "strategies.use=%s", strategy);
	snprintf(connections, sizeof(connections), "load.connections=%d", CONNECTIONS);
	lab_start(&lab, settings);
	status = process_wait(&lab.process, 60);
	if (status && file_contains(lab.process.err, "lingerbench: "))
		print_message("# see: %s\n", lab.process.err);
	assert_int_equal(status, 0);
	for (size_t i = 0; i < 3; i++) {
		const char *peer = ((const char *const[]){ "prompt", "late", "uploader" })[i];

		assert_true(lab_figure(&lab, strategy, peer, "connections") == CONNECTIONS);
		assert_true(lab_figure(&lab, strategy, peer, "corrupt") == 0);
		assert_true(lab_figure(&lab, strategy, peer, "failed") == 0);
		assert_true(lab_figure(&lab, strategy, peer, "timeout") == 0);
		assert_true(lab_figure(&lab, strategy, peer, "complete") +
				    lab_figure(&lab, strategy, peer, "truncated") ==
			    CONNECTIONS);
	}
}

static void run_strategy(const char *strategy)
{
	run_strategy_with(strategy, NULL);
}

static void close_truncates_the_uploaders_responses(void **state)
{
	(void)state;
	run_strategy("close");
	assert_true(lab_figure(&lab, "close", "prompt", "complete") == CONNECTIONS);
	assert_true(lab_figure(&lab, "close", "uploader", "truncated") > 0);
}

static void so_linger_reset_truncates_all_kinds(void **state)
{
	(void)state;
	run_strategy("so_linger_reset");
	assert_true(lab_figure(&lab, "so_linger_reset", "late", "truncated") > 0);
	assert_true(lab_figure(&lab, "so_linger_reset", "uploader", "truncated") > 0);
}

static void so_linger_does_not_save_the_uploader(void **state)
{
	(void)state;
	run_strategy("so_linger");
	assert_true(lab_figure(&lab, "so_linger", "prompt", "complete") == CONNECTIONS);
	assert_true(lab_figure(&lab, "so_linger", "uploader", "truncated") > 0);
}

static void so_linger_without_blocking_is_the_same(void **state)
{
	(void)state;
	run_strategy("so_linger_nonblocking");
	assert_true(lab_figure(&lab, "so_linger_nonblocking", "prompt", "complete") == CONNECTIONS);
	assert_true(lab_figure(&lab, "so_linger_nonblocking", "uploader", "truncated") > 0);
}

static void tcp_linger2_loses_what_close_loses(void **state)
{
	(void)state;
	run_strategy("tcp_linger2");
	assert_true(lab_figure(&lab, "tcp_linger2", "prompt", "complete") == CONNECTIONS);
	assert_true(lab_figure(&lab, "tcp_linger2", "uploader", "truncated") > 0);
	assert_true(lab_figure(&lab, "tcp_linger2", "late", "worker_hold_us_p50") < 50e3);
}

/* Each in a worker of its own, so that the sleeps are all at once. */
static void shutdown_sleep_sleeps_whoever_the_peer_is(void **state)
{
	(void)state;
	run_strategy_with("shutdown_sleep", "server.workers=24");
	for (size_t i = 0; i < 3; i++) {
		const char *peer = ((const char *const[]){ "prompt", "late", "uploader" })[i];

		assert_true(lab_figure(&lab, "shutdown_sleep", peer, "worker_hold_us_p50") >=
			    500e3);
	}
	assert_true(lab_figure(&lab, "shutdown_sleep", "prompt", "complete") == CONNECTIONS);
}

static void lingering_close_saves_all_and_holds_the_worker(void **state)
{
	(void)state;
	run_strategy("lingering_close");
	assert_true(lab_figure(&lab, "lingering_close", "prompt", "complete") == CONNECTIONS);
	assert_true(lab_figure(&lab, "lingering_close", "late", "complete") == CONNECTIONS);
	assert_true(lab_figure(&lab, "lingering_close", "uploader", "complete") == CONNECTIONS);
	/* 200 ms of the peer, of which the client's own turn may take away some */
	assert_true(lab_figure(&lab, "lingering_close", "late", "worker_hold_us_p50") > 150e3);
}

static void io_uring_saves_all_and_frees_the_worker(void **state)
{
	(void)state;
	if (!lab_has_io_uring()) {
		print_message(
			"# SKIP: io_uring is not allowed here, or the kernel is older than 6.1\n");
		skip();
	}
	run_strategy("io_uring");
	assert_true(lab_figure(&lab, "io_uring", "prompt", "complete") == CONNECTIONS);
	assert_true(lab_figure(&lab, "io_uring", "late", "complete") == CONNECTIONS);
	assert_true(lab_figure(&lab, "io_uring", "uploader", "complete") == CONNECTIONS);
	assert_true(lab_figure(&lab, "io_uring", "late", "worker_hold_us_p50") < 50e3);
}

static void lingerd_saves_all_and_frees_the_worker(void **state)
{
	(void)state;
	run_strategy("lingerd");
	assert_true(lab_figure(&lab, "lingerd", "prompt", "complete") == CONNECTIONS);
	assert_true(lab_figure(&lab, "lingerd", "late", "complete") == CONNECTIONS);
	assert_true(lab_figure(&lab, "lingerd", "uploader", "complete") == CONNECTIONS);
	assert_true(lab_figure(&lab, "lingerd", "late", "fallbacks") == 0);
	assert_true(lab_figure(&lab, "lingerd", "late", "worker_hold_us_p50") < 50e3);
}

/*
 * One worker, and clients that close 200 ms after their response: if it were held for each of them, they
 * would have five responses a second.
 */
static void serves_while_others_linger(const char *strategy)
{
	run_strategy_with(strategy, "server.workers=1");
	assert_true(lab_figure(&lab, strategy, "late", "complete") == CONNECTIONS);
	assert_true(lab_figure(&lab, strategy, "late", "throughput_per_s") > 10);
}

static void one_async_worker_serves_while_others_linger(void **state)
{
	(void)state;
	serves_while_others_linger("lingering_close_async");
}

static void one_worker_with_io_uring_serves_while_others_linger(void **state)
{
	(void)state;
	if (!lab_has_io_uring()) {
		print_message(
			"# SKIP: io_uring is not allowed here, or the kernel is older than 6.1\n");
		skip();
	}
	serves_while_others_linger("io_uring");
}

static void async_saves_all_and_frees_the_worker(void **state)
{
	(void)state;
	run_strategy("lingering_close_async");
	assert_true(lab_figure(&lab, "lingering_close_async", "prompt", "complete") == CONNECTIONS);
	assert_true(lab_figure(&lab, "lingering_close_async", "late", "complete") == CONNECTIONS);
	assert_true(lab_figure(&lab, "lingering_close_async", "uploader", "complete") ==
		    CONNECTIONS);
	assert_true(lab_figure(&lab, "lingering_close_async", "late", "worker_hold_us_p50") < 50e3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(close_truncates_the_uploaders_responses, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(so_linger_reset_truncates_all_kinds, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(so_linger_does_not_save_the_uploader, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(so_linger_without_blocking_is_the_same, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(tcp_linger2_loses_what_close_loses, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(shutdown_sleep_sleeps_whoever_the_peer_is, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(lingering_close_saves_all_and_holds_the_worker,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(async_saves_all_and_frees_the_worker, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(io_uring_saves_all_and_frees_the_worker, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(one_async_worker_serves_while_others_linger, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(one_worker_with_io_uring_serves_while_others_linger,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(lingerd_saves_all_and_frees_the_worker, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
