/* SPDX-License-Identifier: MIT */
/* The drain in the kernel: real connections, in a table that lingerd-drain has pinned. As root. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "liblinger/linger.h"
#include "tests/support/lingerd.h"
#include "tests/support/mounts.h"
#include "tests/support/tcp.h"

enum { RESPONSE = 20000, UPLOAD = 3 << 20 };

static char folder[256], mount_point[300], table[320];

static int run_drain(const char *command)
{
	char line[1024];

	snprintf(line, sizeof(line), "'%s' --table '%s' --user root %s 2>'%s/said'",
		 built("lingerd-drain"), table, command, folder);
	return system(line);
}

static int load(void **state)
{
	(void)state;
	mounts_enter_new();
	make_folder(folder);
	snprintf(mount_point, sizeof(mount_point), "%s/bpf", folder);
	snprintf(table, sizeof(table), "%s/connections", mount_point);
	assert_int_equal(run_drain("load"), 0);
	return 0;
}

static int unload(void **state)
{
	(void)state;
	assert_int_equal(run_drain("unload"), 0);
	assert_int_equal(access(mount_point, F_OK), -1); /* its mount is gone, too */
	assert_int_not_equal(run_drain("unload"), 0);
	remove_folder(folder);
	return 0;
}

static void start(struct lingerd *daemon, const char *idle, const char *total, const char *cap)
{
	const char *const options[] = {
		"--drain", "kernel",	      "--drain-table", table,	     "--idle-timeout",
		idle,	   "--total-timeout", total,	       "--byte-cap", cap,
		NULL
	};

	lingerd_start(daemon, options);
	assert_int_equal(lingerd_counter(daemon, "drains_in_kernel"), 1);
}

static struct linger_client *open_client(const struct lingerd *daemon)
{
	struct linger_client_options options = LINGER_CLIENT_OPTIONS_INIT;
	struct linger_client *client;

	options.daemon_half_closes = 1;
	assert_int_equal(linger_client_open_with(&client, daemon->socket, &options), 0);
	return client;
}

static struct tcp_pair hand_over(struct linger_client *client)
{
	struct tcp_pair pair = tcp_pair_open();

	assert_int_equal(tcp_write(pair.client, 1000), 0); /* unread when the server closes */
	assert_int_equal(tcp_write(pair.server, RESPONSE), 0);
	assert_int_equal(linger_handoff(client, pair.server), 0);
	close(pair.server);
	return pair;
}

static void the_kernel_throws_away_and_the_client_loses_nothing(void **state)
{
	struct linger_client *client;
	struct lingerd daemon;
	struct tcp_pair pair;
	size_t length;

	(void)state;
	start(&daemon, "10", "30", "none");
	client = open_client(&daemon);
	pair = hand_over(client);
	assert_int_equal(tcp_write(pair.client, UPLOAD), 0);
	assert_int_equal(tcp_read_to_end(pair.client, &length), 0);
	assert_int_equal(length, RESPONSE);
	close(pair.client);
	lingerd_expect(&daemon, "ended_fin", 1);
	assert_int_equal(lingerd_counter(&daemon, "in_kernel"), 1);
	assert_int_equal(lingerd_counter(&daemon, "drained_bytes"), UPLOAD + 1000);
	assert_true(lingerd_counter(&daemon, "kernel_drained_bytes") > 0);
	linger_client_close(client);
	lingerd_expect_idle_fds(&daemon);
	lingerd_stop(&daemon);
}

static void what_was_half_closed_is_read(void **state)
{
	struct linger_client *client;
	struct lingerd daemon;
	struct tcp_pair pair;

	(void)state;
	start(&daemon, "10", "30", "none");
	assert_int_equal(linger_client_open(&client, daemon.socket), 0);
	pair = hand_over(client);
	assert_int_equal(tcp_write(pair.client, UPLOAD), 0);
	close(pair.client);
	/* Its response was not read: that is a reset, after the bytes. */
	lingerd_expect(&daemon, "lingers", 0);
	assert_int_equal(lingerd_counter(&daemon, "in_kernel"), 0);
	assert_int_equal(lingerd_counter(&daemon, "kernel_drained_bytes"), 0);
	assert_true(lingerd_counter(&daemon, "drained_bytes") >= 1000);
	linger_client_close(client);
	lingerd_stop(&daemon);
}

/* What is somebody else's is neither hidden nor taken away. */
static void foreign_folders_are_left_alone(void **state)
{
	char line[2400], own[280];

	(void)state;
	snprintf(own, sizeof(own), "%s/foreign", folder);
	snprintf(line, sizeof(line),
		 "mkdir '%s' && touch '%s/file' && ! '%s' -p '%s/t' load 2>'%s/said'", own, own,
		 built("lingerd-drain"), own, folder);
	assert_int_equal(system(line), 0);
	snprintf(line, sizeof(line), "%s/said", folder);
	assert_true(file_contains(line, "no empty folder of ours to make it one"));
	snprintf(line, sizeof(line),
		 "rm '%s/file' && mount -t bpf foreign '%s' && '%s' -p '%s/t' load && '%s' -p "
		 "'%s/t' unload",
		 own, own, built("lingerd-drain"), own, built("lingerd-drain"), own);
	assert_int_equal(system(line), 0);
	assert_int_equal(umount(own), 0); /* it is still there */
	assert_int_equal(rmdir(own), 0);
}

/* The process before had another table: nobody throws away what comes now. */
static void a_table_that_is_gone_is_noticed(void **state)
{
	const char *const options[] = { "--idle-timeout", "20", NULL };
	struct linger_client *client;
	struct lingerd daemon;
	struct tcp_pair pair;
	size_t length;

	(void)state;
	start(&daemon, "20", "30", "none");
	client = open_client(&daemon);
	pair = hand_over(client);
	lingerd_expect(&daemon, "lingers", 1);
	assert_int_equal(run_drain("unload"), 0);
	lingerd_take_over(&daemon, "next", options);
	assert_int_equal(run_drain("load"), 0);
	assert_int_equal(tcp_write(pair.client, UPLOAD), 0);
	assert_int_equal(tcp_read_to_end(pair.client, &length), 0);
	assert_int_equal(length, RESPONSE);
	shutdown(pair.client, SHUT_WR);
	lingerd_expect(&daemon, "ended_fin", 1);
	assert_int_equal(lingerd_counter(&daemon, "drained_bytes"), UPLOAD);
	close(pair.client);
	linger_client_close(client);
	lingerd_stop(&daemon);
}

/* Nobody tells the daemon of these bytes: it has to ask. */
static void a_peer_that_sends_is_alive_and_one_that_does_not_is_not(void **state)
{
	struct linger_client *client;
	struct tcp_pair alive, silent;
	struct lingerd daemon;

	(void)state;
	start(&daemon, "1", "30", "none");
	client = open_client(&daemon);
	alive = hand_over(client);
	silent = hand_over(client);
	for (int i = 0; i < 25; i++) {
		assert_int_equal(tcp_write(alive.client, 10), 0);
		usleep(100000);
	}
	assert_int_equal(lingerd_counter(&daemon, "ended_idle"), 1);
	assert_int_equal(lingerd_counter(&daemon, "lingers"), 1);
	lingerd_expect(&daemon, "ended_idle", 2);
	assert_int_equal(lingerd_counter(&daemon, "drained_bytes"), 2 * 1000 + 25 * 10);
	close(alive.client);
	close(silent.client);
	linger_client_close(client);
	lingerd_stop(&daemon);
}

static void the_byte_cap_and_the_total_timeout_hold(void **state)
{
	struct linger_client *client;
	struct tcp_pair flood, trickle;
	struct lingerd daemon;
	uint64_t began;
	int error = 0;

	(void)state;
	start(&daemon, "2", "2", "1m");
	client = open_client(&daemon);
	flood = hand_over(client);
	trickle = hand_over(client);
	began = clock_now_ns();
	while (!error && clock_now_ns() - began < 5 * NS_PER_S)
		error = tcp_write(flood.client, 10000);
	assert_true(error == -EPIPE || error == -ECONNRESET);
	lingerd_expect(&daemon, "ended_byte_cap", 1);
	error = 0;
	while (!error && clock_now_ns() - began < 10 * NS_PER_S) {
		error = tcp_write(trickle.client, 1);
		usleep(50000);
	}
	lingerd_expect(&daemon, "ended_total", 1);
	close(flood.client);
	close(trickle.client);
	linger_client_close(client);
	lingerd_stop(&daemon);
}

static void the_next_process_goes_on(void **state)
{
	const char *const options[] = { "--drain", "kernel",	     "--drain-table",
					table,	   "--idle-timeout", "20",
					NULL };
	struct linger_client *client;
	struct lingerd daemon;
	struct tcp_pair pair;

	(void)state;
	start(&daemon, "20", "30", "none");
	client = open_client(&daemon);
	pair = hand_over(client);
	lingerd_expect(&daemon, "lingers", 1);
	lingerd_take_over(&daemon, "next", options);
	assert_int_equal(lingerd_counter(&daemon, "restored"), 1);
	assert_int_equal(tcp_write(pair.client, UPLOAD), 0);
	shutdown(pair.client, SHUT_WR);
	lingerd_expect(&daemon, "ended_fin", 1);
	assert_int_equal(lingerd_counter(&daemon, "kernel_drained_bytes"), UPLOAD);
	close(pair.client);
	linger_client_close(client);
	lingerd_stop(&daemon);
}

static void without_a_table_it_reads(void **state)
{
	const char *const options[] = { "--drain", "kernel", "--drain-table",
					"/nowhere/connections", NULL };
	struct linger_client *client;
	struct lingerd daemon;
	struct tcp_pair pair;
	size_t length;

	(void)state;
	lingerd_start(&daemon, options);
	assert_int_equal(lingerd_counter(&daemon, "drains_in_kernel"), 0);
	assert_true(file_contains(daemon.process.err,
				  "drain: not in the kernel but by reading: /nowhere/connections: "
				  "No such file or directory; \"lingerd-drain load\" makes it"));
	client = open_client(&daemon);
	pair = hand_over(client);
	assert_int_equal(tcp_write(pair.client, UPLOAD), 0);
	assert_int_equal(tcp_read_to_end(pair.client, &length), 0);
	assert_int_equal(length, RESPONSE);
	close(pair.client);
	lingerd_expect(&daemon, "ended_fin", 1);
	assert_int_equal(lingerd_counter(&daemon, "drained_bytes"), UPLOAD + 1000);
	linger_client_close(client);
	lingerd_stop(&daemon);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_kernel_throws_away_and_the_client_loses_nothing),
		cmocka_unit_test(what_was_half_closed_is_read),
		cmocka_unit_test(a_peer_that_sends_is_alive_and_one_that_does_not_is_not),
		cmocka_unit_test(the_byte_cap_and_the_total_timeout_hold),
		cmocka_unit_test(the_next_process_goes_on),
		cmocka_unit_test(a_table_that_is_gone_is_noticed),
		cmocka_unit_test(foreign_folders_are_left_alone),
		cmocka_unit_test(without_a_table_it_reads),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
