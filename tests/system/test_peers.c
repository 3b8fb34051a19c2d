/* SPDX-License-Identifier: MIT */
/* Peers that misbehave do what they are said to: seen in what they get, and in what they cost a worker. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "tests/support/lab.h"

enum { CONNECTIONS = 8 };

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

/* All at once, each with a worker of its own. The run's expectations are about other peers. */
static void run_peer(const char *script, const char *strategies)
{
	char peer[128], use[64], connections[64];
	const char *settings[] = { "peers.use=odd",
				   peer,
				   use,
				   connections,
				   "load.blocks=1",
				   "server.workers=8",
				   "strategies.idle-timeout=1500ms",
				   "strategies.total-timeout=4s",
				   NULL };
	int status;

	snprintf(peer, sizeof(peer), "peers.odd=%s", script);
	snprintf(use, sizeof(use), "strategies.use=%s", strategies);
	snprintf(connections, sizeof(connections), "load.connections=%d", CONNECTIONS);
	lab_start(&lab, settings);
	status = process_wait(&lab.process, 120);
	assert_true(status == 0 || status == 3);
}

static double figure(const char *strategy, const char *column)
{
	return lab_figure(&lab, strategy, "odd", column);
}

static void a_slow_reader_gets_all_in_its_time(void **state)
{
	(void)state;
	run_peer("window:16k get read:26x4k/20ms receive close", "close lingering_close");
	for (size_t i = 0; i < 2; i++) {
		const char *strategy = ((const char *const[]){ "close", "lingering_close" })[i];

		assert_true(figure(strategy, "complete") == CONNECTIONS);
		assert_true(figure(strategy, "response_us_p50") >= 500e3);
	}
	/* One has given it all to the kernel and goes; the other waits until it has arrived. */
	assert_true(figure("close", "worker_hold_us_p50") < 250e3);
	assert_true(figure("lingering_close", "worker_hold_us_p50") > 250e3);
}

static void a_reader_may_stop_in_the_middle(void **state)
{
	(void)state;
	run_peer("get read:4x1k/1ms pause:100ms close", "lingering_close");
	/* Neither EOF nor an error was seen. */
	assert_true(figure("lingering_close", "failed") == CONNECTIONS);
}

static void pieces_end_with_the_response(void **state)
{
	(void)state;
	run_peer("get read:1000000x64k/0ms receive close", "lingering_close");
	assert_true(figure("lingering_close", "complete") == CONNECTIONS);
}

static void a_trickler_is_never_idle(void **state)
{
	(void)state;
	run_peer("post:1k upload:60x1/100ms receive close", "lingering_close");
	/* Of its six seconds the whole time, and not the idle one. */
	assert_true(figure("lingering_close", "worker_hold_us_p50") >= 3.9e6);
}

static void who_has_vanished_acknowledges_nothing(void **state)
{
	(void)state;
	run_peer("vanish get pause:2s reset", "so_linger lingering_close");
	/* so-linger is 2 s, the idle timeout 1.5 s; so_linger may see the RST first. */
	assert_true(figure("so_linger", "failed") == CONNECTIONS);
	assert_true(figure("so_linger", "worker_hold_us_p50") >= 1e6);
	assert_true(figure("lingering_close", "failed") == CONNECTIONS);
	assert_true(figure("lingering_close", "worker_hold_us_p50") >= 1e6);
	/* As the script has it: nothing to be warned of. */
	assert_false(file_contains(lab.process.err, "timed out, failed or were corrupt"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_slow_reader_gets_all_in_its_time, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_reader_may_stop_in_the_middle, set_up, tear_down),
		cmocka_unit_test_setup_teardown(pieces_end_with_the_response, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_trickler_is_never_idle, set_up, tear_down),
		cmocka_unit_test_setup_teardown(who_has_vanished_acknowledges_nothing, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
