/* SPDX-License-Identifier: MIT */
/*
 * One daemon of several processes where one of them dies or hangs, or another daemon takes over: what is lost is what
 * cannot be kept, and the books say so.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "liblinger/linger.h"
#include "liblinger/protocol.h"
#include "tests/support/group.h"
#include "tests/support/tcp.h"

/* With its descriptors, whatever was on their way to it. */
static void who_dies_costs_what_it_had_and_no_more(void **state)
{
	struct linger_client *client;
	struct lingerd daemon;
	struct group group;
	struct tcp_pair pair;
	uint64_t lost;

	(void)state;
	group_start(&group, &daemon, group_of_eight);
	group_hand_over(&daemon, 0, GROUP_LINGERS);
	assert_int_equal(kill(group.shelves[2], SIGKILL), 0);
	while (!(lost = lingerd_counter(&daemon, "ended_lost")))
		usleep(10000);
	assert_in_range(lost, 10, 190);
	group_books_balance(&daemon);
	assert_true(file_contains(daemon.process.err, "has died"));
	assert_in_range(lingerd_counter(&daemon, "max_connections"), GROUP_LINGERS,
			GROUP_FILES * 7);
	client = lingerd_open_client(&daemon);
	pair = lingerd_hand_over(client);
	close(pair.client);
	lingerd_expect(&daemon, "ended_fin", 1);
	linger_client_close(client);
	group_close_clients(GROUP_LINGERS);
	lingerd_expect(&daemon, "lingers", 0);
	group_books_balance(&daemon);
	assert_int_equal(lingerd_counter(&daemon, "ended_lost"), lost);
	group_stop(&group, &daemon);
}

/* One that is stopped gets no more than its credit, and nobody waits for it. */
static void who_hangs_holds_nobody_up(void **state)
{
	struct lingerd daemon;
	struct group group;
	size_t length;

	(void)state;
	group_start(&group, &daemon, group_of_eight);
	assert_int_equal(kill(group.shelves[0], SIGSTOP), 0);
	group_hand_over(&daemon, 0, GROUP_LINGERS);
	lingerd_expect(&daemon, "lingers", GROUP_LINGERS);
	group_books_balance(&daemon);
	/* It dies with what is on its way to it. */
	assert_int_equal(kill(group.shelves[0], SIGKILL), 0);
	while (!lingerd_counter(&daemon, "ended_lost"))
		usleep(10000);
	assert_in_range(lingerd_counter(&daemon, "ended_lost"), 1, 32);
	group_books_balance(&daemon);
	for (int i = 0; i < GROUP_LINGERS; i++) {
		tcp_read_to_end(group_pairs[i].client, &length);
		close(group_pairs[i].client);
	}
	lingerd_expect(&daemon, "lingers", 0);
	group_stop(&group, &daemon);
}

static void none_outlives_the_first(void **state)
{
	struct lingerd daemon;
	struct group group;

	(void)state;
	group_start(&group, &daemon, group_of_eight);
	group_hand_over(&daemon, 0, GROUP_LINGERS);
	assert_int_equal(process_end(&daemon.process, SIGKILL, GROUP_PATIENCE_S), 128 + SIGKILL);
	assert_true(wait_until(group_is_gone, &group, GROUP_PATIENCE_S));
	group_close_clients(GROUP_LINGERS);
	remove_folder(daemon.folder);
}

static void signals_to_the_whole_group_are_for_the_first(void **state)
{
	struct lingerd daemon;
	struct group group;
	pid_t left[GROUP_SHELVES];

	(void)state;
	group_start(&group, &daemon, group_of_eight);
	for (int i = 0; i < group.count; i++) {
		kill(group.shelves[i], SIGTERM);
		kill(group.shelves[i], SIGINT);
		kill(group.shelves[i], SIGHUP);
	}
	group_hand_over(&daemon, 0, GROUP_LINGERS);
	assert_int_equal(group_find_shelves(&daemon, left), GROUP_SHELVES);
	group_close_clients(GROUP_LINGERS);
	lingerd_expect(&daemon, "ended_fin", GROUP_LINGERS);
	group_stop(&group, &daemon);
}

static const char *const three[] = { "--workers", "3", "--idle-timeout", "300", "--total-timeout",
				     "300",	  NULL };

/* As many as may be on their way at once: no linger stays behind. */
static void another_daemon_takes_all_over(void **state)
{
	enum { COUNT = 140 };
	struct lingerd daemon;
	struct group group;
	size_t length;

	(void)state;
	group_start(&group, &daemon, three);
	group_hand_over(&daemon, 0, COUNT);
	lingerd_take_over(&daemon, "second", three);
	assert_true(wait_until(group_is_gone, &group, GROUP_PATIENCE_S));
	lingerd_expect(&daemon, "restored", COUNT);
	group_books_balance(&daemon);
	for (int i = 0; i < COUNT; i++) {
		assert_int_equal(tcp_write(group_pairs[i].client, 1000), 0);
		assert_int_equal(tcp_read_to_end(group_pairs[i].client, &length), 0);
	}
	lingerd_expect(&daemon, "drained_bytes", COUNT * 1000);
	group_close_clients(COUNT);
	lingerd_expect(&daemon, "ended_fin", COUNT);
	lingerd_stop(&daemon);
}

/* The limit of open files is that of descriptors on their way, too: the rest has its grace where it is. */
static void what_cannot_be_passed_on_has_its_grace(void **state)
{
	static const char *const options[] = {
		"--workers", "8", "--idle-timeout", "300", "--total-timeout", "300", "--stop-grace",
		"2",	     NULL
	};
	struct process old;
	struct lingerd daemon;
	struct group group;
	uint64_t passed;
	char line[100];
	int kept = 0;

	(void)state;
	group_start(&group, &daemon, options);
	group_hand_over(&daemon, 0, GROUP_LINGERS);
	old = daemon.process;
	lingerd_take_over(&daemon, "second", options);
	assert_true(wait_until(group_is_gone, &group, GROUP_PATIENCE_S));
	passed = lingerd_counter(&daemon, "restored");
	assert_in_range(passed, 100, 160);
	group_books_balance(&daemon);
	snprintf(line, sizeof(line), "ended: 600 handoffs: %lu shutdown; %lu passed on;",
		 (unsigned long)(GROUP_LINGERS - passed), (unsigned long)passed);
	assert_true(file_contains(old.err, line));
	for (int i = 0; i < GROUP_LINGERS; i++) {
		size_t length;

		assert_int_equal(tcp_read_to_end(group_pairs[i].client, &length), 0);
		kept += !tcp_write(group_pairs[i].client, 1) && !usleep(10) &&
			!tcp_write(group_pairs[i].client, 1);
	}
	assert_int_equal(kept, passed);
	group_close_clients(GROUP_LINGERS);
	lingerd_expect(&daemon, "ended_fin", passed);
	lingerd_stop(&daemon);
}

/* Nothing is away then, and nothing has changed. */
static void who_asks_and_leaves_takes_nothing_away(void **state)
{
	const struct linger_message question = {
		.magic = LINGER_PROTOCOL_MAGIC,
		.version = LINGER_PROTOCOL_VERSION,
		.size = sizeof(question),
		.type = LINGER_MESSAGE_TAKE_OVER,
	};
	struct lingerd daemon;
	struct group group;
	int asker;

	(void)state;
	group_start(&group, &daemon, group_of_eight);
	group_hand_over(&daemon, 0, GROUP_LINGERS);
	asker = sender_connect(&daemon);
	sender_send(asker, &question, sizeof(question), NULL, 0);
	close(asker);
	lingerd_expect(&daemon, "lingers", GROUP_LINGERS);
	lingerd_expect(&daemon, "passed_on", 0);
	assert_int_equal(lingerd_counter(&daemon, "restored"), 0);
	group_close_clients(GROUP_LINGERS);
	lingerd_expect(&daemon, "ended_fin", GROUP_LINGERS);
	group_books_balance(&daemon);
	assert_true(wait_until(group_fds_are_idle, &group, GROUP_PATIENCE_S));
	group_stop(&group, &daemon);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_dies_costs_what_it_had_and_no_more),
		cmocka_unit_test(who_hangs_holds_nobody_up),
		cmocka_unit_test(none_outlives_the_first),
		cmocka_unit_test(signals_to_the_whole_group_are_for_the_first),
		cmocka_unit_test(another_daemon_takes_all_over),
		cmocka_unit_test(what_cannot_be_passed_on_has_its_grace),
		cmocka_unit_test(who_asks_and_leaves_takes_nothing_away),
	};

	return cmocka_run_group_tests(tests, group_raise_limit, NULL);
}
