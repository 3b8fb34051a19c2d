/* SPDX-License-Identifier: MIT */
/* Start, reload, end; and every way in which a start can fail: one line, the right exit code. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/clock.h"
#include "liblinger/linger.h"
#include "tests/support/lingerd.h"
#include "tests/support/tcp.h"

static const char *const no_options[] = { "--idle-timeout", "60", "--total-timeout", "60", NULL };

/* Runs a program to its end; its exit status. Its only line on stderr must have the text in it. */
static int run(const char *folder, const char *const words[], const char *said)
{
	struct process process;
	char text[4096] = "";
	FILE *file;
	int status;

	process_start(&process, folder, "run", (char *const *)words);
	status = process_wait(&process, 30);
	assert_true(status >= 0);
	file = fopen(process.err, "r");
	assert_non_null(file);
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	if (!strstr(text, said) || strchr(text, '\n') != text + strlen(text) - 1)
		fail_msg("stderr is not one line with '%s': %s", said, text);
	return status;
}

static int run_lingerd(const char *folder, const char *option, const char *value, const char *said)
{
	const char *words[] = { built("lingerd"), option, value, NULL };

	return run(folder, words, said);
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static void usage_errors_exit_with_2(void **state)
{
	char folder[256], path[300];

	(void)state;
	make_folder(folder);
	memset(path, 'x', sizeof(path));
	path[0] = '/';
	path[200] = '\0';
	assert_int_equal(run_lingerd(folder, "--nonsense", NULL, "--nonsense"), 2);
	assert_int_equal(run_lingerd(folder, "--idle-timeout", "never", "'never'"), 2);
	assert_int_equal(run_lingerd(folder, "--socket", path, "200 bytes"), 2);
	assert_int_equal(run_lingerd(folder, "--metrics", "nonsense", "'nonsense'"), 2);
	assert_int_equal(run_lingerd(folder, "--metrics", "0.0.0.0:1", "metrics-remote"), 2);
	assert_int_equal(run_lingerd(folder, "--background", "--socket=s", "begin with /"), 2);
	remove_folder(folder);
}

/* What is wrong in a file, or only with it: others may be let to the metrics there. */
static void mistakes_in_a_file_exit_with_1(void **state)
{
	char folder[256], path[300];
	const char *const words[] = { built("lingerd"), "--config", path, "--metrics",
				      "0.0.0.0:1",	"-t",	    NULL };

	(void)state;
	make_folder(folder);
	snprintf(path, sizeof(path), "%s/l.conf", folder);
	write_file(path, "[lingerd]\nmetrics = nonsense\n");
	assert_int_equal(run(folder, words, "l.conf:2: metrics: 'nonsense'"), 1);
	write_file(path, "[lingerd]\nmetrics-remote = off\n");
	assert_int_equal(run(folder, words, "set metrics-remote to on to allow it"), 1);
	write_file(path, "[lingerd]\nmetrics-remote = on\n");
	assert_int_equal(run(folder, words, "good"), 0);
	remove_folder(folder);
}

static void places_that_do_not_serve_are_named(void **state)
{
	char folder[256], path[300];

	(void)state;
	make_folder(folder);
	snprintf(path, sizeof(path), "%s/missing/s", folder);
	assert_int_equal(run_lingerd(folder, "--socket", path, "make the directory"), 1);
	snprintf(path, sizeof(path), "%s/file", folder);
	write_file(path, "precious");
	assert_int_equal(run_lingerd(folder, "--socket", path, "is no socket"), 1);
	assert_true(file_contains(path, "precious"));
	snprintf(path, sizeof(path), "%s/file.lock", folder);
	assert_int_equal(access(path, F_OK), -1); /* nothing of its own is left */
	assert_int_equal(run_lingerd(folder, "--config", "/nonexistent.conf", "/nonexistent.conf"),
			 1);
	remove_folder(folder);
}

static void a_socket_of_somebody_else_is_left_alone(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char folder[256];
	struct stat there;
	int fd;

	(void)state;
	if (geteuid() != 0)
		skip();
	make_folder(folder);
	fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	snprintf(address.sun_path, sizeof(address.sun_path), "%.90s/s", folder);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
	assert_int_equal(chown(address.sun_path, 12345, 12345), 0);
	assert_int_equal(run_lingerd(folder, "--socket", address.sun_path, "user 12345"), 1);
	assert_int_equal(stat(address.sun_path, &there), 0);
	remove_folder(folder);
}

static void a_place_without_permission_is_named(void **state)
{
	char folder[256], path[300];
	const char *const words[] = { "/usr/bin/setpriv",
				      "--reuid=65534",
				      "--clear-groups",
				      "--regid=65534",
				      built("lingerd"),
				      "--socket",
				      path,
				      NULL };

	int status;

	(void)state;
	if (geteuid() != 0 || access(words[0], X_OK))
		skip();
	make_folder(folder);
	snprintf(path, sizeof(path), "%s/s", folder);
	/* 126: that user cannot even reach the program */
	status = run(folder, words, "ermission denied");
	remove_folder(folder);
	if (status >= 126)
		skip();
	assert_int_equal(status, 1);
}

static void no_room_for_connections_is_said(void **state)
{
	char folder[256], path[300];
	const char *const words[] = {
		"/bin/sh", "-c", "ulimit -n 16; exec \"$@\"", "sh", built("lingerd"), "--socket",
		path,	   NULL
	};

	(void)state;
	make_folder(folder);
	snprintf(path, sizeof(path), "%s/s", folder);
	assert_int_equal(run(folder, words, "limit of open files, 16"), 1);
	remove_folder(folder);
}

static void check_config_tells_good_from_bad(void **state)
{
	char folder[256], path[300];
	const char *const words[] = { built("lingerd"), "-t", "-c", path, NULL };

	(void)state;
	make_folder(folder);
	snprintf(path, sizeof(path), "%s/l.conf", folder);
	write_file(path, "[lingerd]\nidle-timeout = 1\n");
	assert_int_equal(run(folder, words, "good"), 0);
	write_file(path, "[lingerd]\nidle-timeout = 1\ncolour = blue\n");
	assert_int_equal(run(folder, words, "l.conf:3: there is no setting 'colour'"), 1);
	remove_folder(folder);
}

static void a_second_daemon_is_refused_and_the_first_works_on(void **state)
{
	struct lingerd daemon;
	char lock[310];

	(void)state;
	lingerd_start(&daemon, no_options);
	for (int i = 0; i < 5; i++)
		assert_int_equal(run_lingerd(daemon.folder, "--socket", daemon.socket,
					     "another process listens"),
				 1);
	lingerd_counter(&daemon, "handoffs");
	/* and without the lock file, too */
	snprintf(lock, sizeof(lock), "%s.lock", daemon.socket);
	assert_int_equal(unlink(lock), 0);
	assert_int_equal(run_lingerd(daemon.folder, "--socket", daemon.socket,
				     "another process listens"),
			 1);
	lingerd_counter(&daemon, "handoffs");
	lingerd_stop(&daemon);
}

static void of_many_that_start_at_once_one_wins(void **state)
{
	enum { DAEMONS = 8 };
	struct process processes[DAEMONS];
	struct lingerd daemon;
	int running = 0, refused = 0;

	(void)state;
	lingerd_start(&daemon, no_options);
	assert_int_equal(process_end(&daemon.process, SIGKILL, 30), 128 + SIGKILL);
	for (int i = 0; i < DAEMONS; i++) {
		const char *words[] = { built("lingerd"), "--socket", daemon.socket, NULL };
		char name[16];

		snprintf(name, sizeof(name), "many%d", i);
		process_start(&processes[i], daemon.folder, name, (char *const *)words);
	}
	for (int waited = 0; waited < 30 && refused < DAEMONS - 1; waited++)
		for (int i = 0; i < DAEMONS; i++)
			if (processes[i].pid > 0 && process_wait(&processes[i], 1) >= 0)
				refused++;
	assert_int_equal(refused, DAEMONS - 1);
	lingerd_counter(&daemon, "handoffs");
	for (int i = 0; i < DAEMONS; i++) {
		if (processes[i].pid > 0) {
			assert_int_equal(process_end(&processes[i], SIGTERM, 30), 0);
			running++;
		}
	}
	assert_int_equal(running, 1);
	remove_folder(daemon.folder);
}

static void the_socket_has_its_mode_and_goes_with_the_daemon(void **state)
{
	static const char *const options[] = { "--socket-mode", "600", NULL };
	struct lingerd daemon;
	struct stat there;
	char lock[310];

	(void)state;
	lingerd_start(&daemon, options);
	assert_int_equal(stat(daemon.socket, &there), 0);
	assert_int_equal(there.st_mode & 0777, 0600);
	assert_int_equal(process_end(&daemon.process, SIGINT, 30), 0);
	snprintf(lock, sizeof(lock), "%s.lock", daemon.socket);
	assert_int_equal(access(daemon.socket, F_OK), -1);
	assert_int_equal(access(lock, F_OK), -1);
	remove_folder(daemon.folder);
}

static void a_killed_daemon_is_replaced_and_clients_come_back(void **state)
{
	struct tcp_pair pairs[3];
	struct linger_client *client;
	struct lingerd daemon;
	int error;

	(void)state;
	lingerd_start(&daemon, no_options);
	assert_int_equal(linger_client_open(&client, daemon.socket), 0);
	for (int i = 0; i < 3; i++)
		pairs[i] = tcp_pair_open();
	assert_int_equal(linger_handoff(client, pairs[0].server), 0);
	lingerd_expect(&daemon, "lingers", 1);
	assert_int_equal(process_end(&daemon.process, SIGKILL, 30), 128 + SIGKILL);
	assert_int_equal(linger_handoff(client, pairs[1].server), -ECONNREFUSED);
	lingerd_restart(&daemon, no_options);
	usleep(20000); /* a failed connect is not tried again for 10 ms */
	error = linger_handoff(client, pairs[2].server);
	assert_int_equal(error, 0);
	lingerd_expect(&daemon, "lingers", 1);
	for (int i = 0; i < 3; i++) {
		close(pairs[i].server);
		close(pairs[i].client);
	}
	lingerd_expect(&daemon, "ended_fin", 1);
	linger_client_close(client);
	lingerd_stop(&daemon);
}

static void sigterm_lets_lingers_come_to_their_end(void **state)
{
	struct linger_client *client;
	struct tcp_pair pair;
	struct lingerd daemon;
	size_t length;

	(void)state;
	lingerd_start(&daemon, no_options);
	assert_int_equal(linger_client_open(&client, daemon.socket), 0);
	pair = tcp_pair_open();
	/* What a stopped daemon has been sent is still taken. */
	assert_int_equal(kill(daemon.process.pid, SIGSTOP), 0);
	assert_int_equal(linger_handoff(client, pair.server), 0);
	close(pair.server);
	assert_int_equal(kill(daemon.process.pid, SIGTERM), 0);
	assert_int_equal(kill(daemon.process.pid, SIGCONT), 0);
	assert_int_equal(process_wait(&daemon.process, 1), -1); /* it waits for us */
	assert_int_equal(access(daemon.socket, F_OK), -1);
	assert_int_equal(tcp_write(pair.client, 5000), 0);
	assert_int_equal(tcp_read_to_end(pair.client, &length), 0);
	close(pair.client);
	assert_int_equal(process_wait(&daemon.process, 30), 0);
	assert_true(file_contains(daemon.process.err,
				  "ended: 1 handoffs: 1 fin; 0 refused, 5000 bytes drained"));
	linger_client_close(client);
	remove_folder(daemon.folder);
}

static void after_its_grace_the_daemon_cuts_what_is_open(void **state)
{
	struct tcp_pair pairs[2];
	struct linger_client *client;
	struct lingerd daemon;
	uint64_t began;

	(void)state;
	lingerd_start(&daemon, no_options);
	assert_int_equal(linger_client_open(&client, daemon.socket), 0);
	for (int i = 0; i < 2; i++) {
		pairs[i] = tcp_pair_open();
		assert_int_equal(linger_handoff(client, pairs[i].server), 0);
		close(pairs[i].server);
	}
	began = clock_now_ns();
	assert_int_equal(process_end(&daemon.process, SIGTERM, 30), 0);
	assert_true(clock_now_ns() - began >= 4 * NS_PER_S);
	assert_true(file_contains(daemon.process.err, "ended: 2 handoffs: 2 shutdown;"));
	for (int i = 0; i < 2; i++)
		close(pairs[i].client);
	linger_client_close(client);
	remove_folder(daemon.folder);
}

static void a_second_signal_ends_at_once(void **state)
{
	struct linger_client *client;
	struct tcp_pair pair = tcp_pair_open();
	struct lingerd daemon;
	uint64_t began = clock_now_ns();

	(void)state;
	lingerd_start(&daemon, no_options);
	assert_int_equal(linger_client_open(&client, daemon.socket), 0);
	assert_int_equal(linger_handoff(client, pair.server), 0);
	lingerd_expect(&daemon, "lingers", 1);
	began = clock_now_ns();
	assert_int_equal(kill(daemon.process.pid, SIGTERM), 0);
	assert_int_equal(process_wait(&daemon.process, 1), -1);
	assert_int_equal(process_end(&daemon.process, SIGTERM, 30), 0);
	assert_true(clock_now_ns() - began < 4 * NS_PER_S);
	assert_true(file_contains(daemon.process.err, " 1 shutdown;"));
	close(pair.server);
	close(pair.client);
	linger_client_close(client);
	remove_folder(daemon.folder);
}

struct file_text {
	const char *path;
	const char *text;
};

static bool is_said(void *context)
{
	const struct file_text *expected = context;

	return file_contains(expected->path, expected->text);
}

static void expect_said(const struct lingerd *daemon, const char *text)
{
	struct file_text expected = { daemon->process.err, text };

	if (!wait_until(is_said, &expected, 30))
		fail_msg("the daemon does not say '%s'", text);
}

static void sighup_applies_all_of_a_file_or_nothing(void **state)
{
	struct tcp_pair pair = tcp_pair_open();
	struct linger_client *client;
	struct lingerd daemon;
	char folder[256], config[300];
	const char *const options[] = { "--config", config, NULL };

	(void)state;
	make_folder(folder);
	snprintf(config, sizeof(config), "%s/l.conf", folder);
	write_file(config, "[lingerd]\nidle-timeout = 60\ntotal-timeout = 61\n");
	lingerd_start(&daemon, options);
	assert_int_equal(linger_client_open(&client, daemon.socket), 0);
	assert_int_equal(linger_handoff(client, pair.server), 0);
	close(pair.server);
	lingerd_expect(&daemon, "lingers", 1);

	write_file(config, "[lingerd]\nidle-timeout = 0.1\ntotal-timeout = x\n");
	assert_int_equal(kill(daemon.process.pid, SIGHUP), 0);
	expect_said(&daemon, "l.conf:3: total-timeout: 'x'");
	usleep(300000);
	assert_int_equal(lingerd_counter(&daemon, "lingers"), 1);

	write_file(config, "[lingerd]\nidle-timeout = 0.1\nmax-connections = 7\n");
	assert_int_equal(kill(daemon.process.pid, SIGHUP), 0);
	expect_said(&daemon, "max-connections cannot change");
	lingerd_expect(&daemon, "ended_idle", 1); /* the one that was open already */
	close(pair.client);
	linger_client_close(client);
	lingerd_stop(&daemon);
	remove_folder(folder);
}

static void lingerctl_says_what_is_wrong(void **state)
{
	struct lingerd daemon;
	const char *words[] = { NULL, "status", "--socket", daemon.socket, NULL };
	const char *bare[] = { NULL, NULL };
	char ctl[512];

	(void)state;
	snprintf(ctl, sizeof(ctl), "%s", built("lingerctl"));
	words[0] = bare[0] = ctl;
	lingerd_start(&daemon, no_options);
	assert_int_equal(run(daemon.folder, bare, "say what to do"), 2);
	assert_int_equal(process_end(&daemon.process, SIGKILL, 30), 128 + SIGKILL);
	assert_int_equal(run(daemon.folder, words, "nobody listens there"), 1);
	unlink(daemon.socket);
	assert_int_equal(run(daemon.folder, words, "is lingerd running"), 1);
	words[3] = daemon.process.err; /* a file */
	assert_int_equal(run(daemon.folder, words, "this is no socket"), 1);
	remove_folder(daemon.folder);
}

static void lingerctl_prints_the_counters(void **state)
{
	struct lingerd daemon;
	struct process process;
	const char *words[] = { built("lingerctl"), "status",	   "--json",
				"--socket",	    daemon.socket, NULL };
	char ctl[512];

	(void)state;
	snprintf(ctl, sizeof(ctl), "%s", words[0]);
	words[0] = ctl;
	lingerd_start(&daemon, no_options);
	process_start(&process, daemon.folder, "ctl", (char *const *)words);
	assert_int_equal(process_wait(&process, 30), 0);
	assert_true(file_contains(process.out, "\"handoffs\": 0"));
	words[2] = "--socket";
	words[3] = daemon.socket;
	words[4] = NULL;
	process_start(&process, daemon.folder, "ctl", (char *const *)words);
	assert_int_equal(process_wait(&process, 30), 0);
	assert_true(file_contains(process.out, "connections taken over"));
	lingerd_stop(&daemon);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(usage_errors_exit_with_2),
		cmocka_unit_test(mistakes_in_a_file_exit_with_1),
		cmocka_unit_test(places_that_do_not_serve_are_named),
		cmocka_unit_test(a_socket_of_somebody_else_is_left_alone),
		cmocka_unit_test(a_place_without_permission_is_named),
		cmocka_unit_test(no_room_for_connections_is_said),
		cmocka_unit_test(check_config_tells_good_from_bad),
		cmocka_unit_test(a_second_daemon_is_refused_and_the_first_works_on),
		cmocka_unit_test(of_many_that_start_at_once_one_wins),
		cmocka_unit_test(the_socket_has_its_mode_and_goes_with_the_daemon),
		cmocka_unit_test(a_killed_daemon_is_replaced_and_clients_come_back),
		cmocka_unit_test(sigterm_lets_lingers_come_to_their_end),
		cmocka_unit_test(after_its_grace_the_daemon_cuts_what_is_open),
		cmocka_unit_test(a_second_signal_ends_at_once),
		cmocka_unit_test(sighup_applies_all_of_a_file_or_nothing),
		cmocka_unit_test(lingerctl_says_what_is_wrong),
		cmocka_unit_test(lingerctl_prints_the_counters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
