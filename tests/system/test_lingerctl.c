/* SPDX-License-Identifier: MIT */
/* What lingerctl tells the daemon to do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "liblinger/linger.h"
#include "tests/support/lingerd.h"
#include "tests/support/tcp.h"

static const char *const patient[] = { "--idle-timeout", "60", "--total-timeout", "60", NULL };

/* Runs it; returns its exit status. What it said stays in daemon->folder, as ctl.out and ctl.err. */
static int lingerctl(const struct lingerd *daemon, const char *command, struct process *ret)
{
	const char *argv[] = { built("lingerctl"), command, "--socket", daemon->socket, NULL };

	process_start(ret, daemon->folder, "ctl", (char *const *)argv);
	return process_wait(ret, 30);
}

static struct tcp_pair hand_one_over(const struct lingerd *daemon)
{
	struct tcp_pair pair = tcp_pair_open();
	struct linger_client *client;

	assert_int_equal(linger_client_open(&client, daemon->socket), 0);
	assert_int_equal(linger_handoff(client, pair.server), 0);
	linger_client_close(client);
	close(pair.server);
	return pair;
}

static void close_all_closes_what_lingers_and_the_daemon_goes_on(void **state)
{
	struct tcp_pair pairs[3];
	struct process ctl;
	struct lingerd daemon;

	(void)state;
	lingerd_start(&daemon, patient);
	for (int i = 0; i < 3; i++)
		pairs[i] = hand_one_over(&daemon);
	lingerd_expect(&daemon, "lingers", 3);
	assert_int_equal(lingerctl(&daemon, "close-all", &ctl), 0);
	assert_true(file_contains(ctl.err, "closed 3 connections"));
	assert_int_equal(lingerd_counter(&daemon, "ended_command"), 3);
	for (int i = 0; i < 3; i++)
		close(pairs[i].client);
	pairs[0] = hand_one_over(&daemon);
	close(pairs[0].client);
	lingerd_expect(&daemon, "ended_fin", 1);
	lingerd_expect_idle_fds(&daemon);
	lingerd_stop(&daemon);
}

static void drain_takes_no_more_and_ends_when_the_last_one_has(void **state)
{
	struct tcp_pair pair;
	struct process ctl;
	struct lingerd daemon;

	(void)state;
	lingerd_start(&daemon, patient);
	pair = hand_one_over(&daemon);
	lingerd_expect(&daemon, "lingers", 1);
	assert_int_equal(lingerctl(&daemon, "drain", &ctl), 0);
	assert_int_equal(process_wait(&daemon.process, 6), -1); /* longer than SIGTERM's grace */
	assert_int_equal(access(daemon.socket, F_OK), -1);
	assert_int_equal(lingerctl(&daemon, "status", &ctl), 1);
	close(pair.client);
	assert_int_equal(process_wait(&daemon.process, 30), 0);
	assert_true(file_contains(daemon.process.err, "ended: 1 handoffs: 1 fin; 0 refused"));
	remove_folder(daemon.folder);
}

static void sigterm_gives_a_draining_daemon_its_grace(void **state)
{
	struct tcp_pair pair;
	struct process ctl;
	struct lingerd daemon;

	(void)state;
	lingerd_start(&daemon, patient);
	pair = hand_one_over(&daemon);
	lingerd_expect(&daemon, "lingers", 1);
	assert_int_equal(lingerctl(&daemon, "drain", &ctl), 0);
	assert_int_equal(process_end(&daemon.process, SIGTERM, 2), -1);
	assert_int_equal(process_wait(&daemon.process, 30), 0);
	assert_true(file_contains(daemon.process.err, "ended: 1 handoffs: 1 shutdown;"));
	close(pair.client);
	remove_folder(daemon.folder);
}

static void write_config(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static void reload_says_whether_the_file_was_good(void **state)
{
	const char *options[] = { "--config", NULL, NULL };
	char folder[256], path[300];
	struct tcp_pair pair;
	struct process ctl;
	struct lingerd daemon;

	(void)state;
	make_folder(folder);
	snprintf(path, sizeof(path), "%s/lingerd.conf", folder);
	options[1] = path;
	write_config(path, "[lingerd]\nidle-timeout = 60\ntotal-timeout = 60\n");
	lingerd_start(&daemon, options);
	pair = hand_one_over(&daemon);
	lingerd_expect(&daemon, "lingers", 1);
	write_config(path, "[lingerd]\nidle-timeout = 0.1\nbyte-cap = much\n");
	assert_int_equal(lingerctl(&daemon, "reload", &ctl), 1);
	assert_true(file_contains(ctl.err, "lingerd.conf:3: byte-cap: 'much'"));
	assert_int_equal(lingerd_counter(&daemon, "lingers"), 1);
	write_config(path, "[lingerd]\nidle-timeout = 0.1\n");
	assert_int_equal(lingerctl(&daemon, "reload", &ctl), 0);
	lingerd_expect(&daemon, "ended_idle", 1);
	close(pair.client);
	lingerd_stop(&daemon);
	remove_folder(folder);
}

static void reload_without_a_file_says_so(void **state)
{
	struct process ctl;
	struct lingerd daemon;

	(void)state;
	lingerd_start(&daemon, patient);
	assert_int_equal(lingerctl(&daemon, "reload", &ctl), 0);
	assert_true(file_contains(ctl.err, "there is no file to read again"));
	lingerd_stop(&daemon);
}

static void what_it_does_not_know_is_refused(void **state)
{
	struct process ctl;
	struct lingerd daemon;

	(void)state;
	lingerd_start(&daemon, patient);
	assert_int_equal(lingerctl(&daemon, "explode", &ctl), 2);
	assert_true(file_contains(ctl.err, "'explode'"));
	lingerd_stop(&daemon);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(close_all_closes_what_lingers_and_the_daemon_goes_on),
		cmocka_unit_test(drain_takes_no_more_and_ends_when_the_last_one_has),
		cmocka_unit_test(sigterm_gives_a_draining_daemon_its_grace),
		cmocka_unit_test(reload_says_whether_the_file_was_good),
		cmocka_unit_test(reload_without_a_file_says_so),
		cmocka_unit_test(what_it_does_not_know_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
