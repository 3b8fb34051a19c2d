/* SPDX-License-Identifier: MIT */
/* Who may hand over, and who may give commands. Needs root, to be others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lingerctl/ask.h"
#include "liblinger/linger.h"
#include "tests/support/lingerd.h"
#include "tests/support/tcp.h"

/* Numbers that no account of the system has. */
enum { USER = 61234, GROUP = 61235, OTHER_GROUP = 61236 };

struct identity {
	uid_t user;
	gid_t group;
	gid_t supplementary;
};

/* Runs a piece of the test as somebody else; what it returns, 0 to 255. */
static int as_other(const struct identity *who, int (*piece)(const struct lingerd *),
		    const struct lingerd *daemon)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		if (setgroups(1, &who->supplementary) || setgid(who->group) || setuid(who->user))
			_exit(255);
		_exit(piece(daemon));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* Whether the daemon answers a question; 0 or a positive errno. */
static int status(const struct lingerd *daemon)
{
	char text[4096];
	int error = ask(daemon->socket, LINGER_MESSAGE_STATUS, text, sizeof(text));

	return !error && !strncmp(text, LINGER_TURNED_AWAY, strlen(LINGER_TURNED_AWAY)) ? EACCES
											: -error;
}

static int command(const struct lingerd *daemon)
{
	char text[4096];

	if (ask(daemon->socket, LINGER_MESSAGE_CLOSE_ALL, text, sizeof(text)))
		return 254;
	return strncmp(text, "error: ", 7) ? 0 : 1;
}

/* What it handed over before it knew is lingered: more than the client sends is read, and no RST comes. */
static int is_lingered(const struct tcp_pair *pair)
{
	size_t length;

	return !tcp_write(pair->client, 100000) && !tcp_write(pair->client, 100000) &&
	       !tcp_read_to_end(pair->client, &length);
}

/*
 * Hands over until it is told that it may not. How many went to the daemon, all of which must be
 * lingered; 200 and more: something was wrong.
 */
static int hand_over(const struct lingerd *daemon)
{
	struct linger_client *client;
	int error = 0, given = 0;

	if (linger_client_open(&client, daemon->socket))
		return 254;
	while (!error && given < 100) {
		struct tcp_pair pair = tcp_pair_open();

		while ((error = linger_handoff(client, pair.server)) == -EAGAIN)
			usleep(1000);
		close(pair.server);
		if (!error && (given++, !is_lingered(&pair)))
			return 253;
		close(pair.client);
	}
	/* And again, without asking. */
	if (error != -EACCES || linger_handoff(client, 0) != -EACCES)
		return 252;
	linger_client_close(client);
	return given;
}

/* It is slow, then: connections and messages wait for it. The process that wakes it is to be waited for. */
static pid_t stop_for_a_moment(const struct lingerd *daemon)
{
	pid_t waker;

	assert_int_equal(kill(daemon->process.pid, SIGSTOP), 0);
	waker = fork();
	assert_true(waker >= 0);
	if (!waker) {
		usleep(300000);
		_exit(kill(daemon->process.pid, SIGCONT));
	}
	return waker;
}

static void start(struct lingerd *daemon, const char *option, const char *value)
{
	const char *options[] = { "--socket-mode", "0666", option, value, NULL };

	lingerd_start(daemon, options);
	assert_int_equal(chmod(daemon->folder, 0755), 0);
}

static int need_root(void **state)
{
	(void)state;
	if (geteuid() == 0)
		return 0;
	print_message("only root can be somebody else\n");
	return -1;
}

static void everybody_may_who_can_open_the_socket(void **state)
{
	const struct identity who = { USER, GROUP, OTHER_GROUP };
	struct lingerd daemon;

	(void)state;
	start(&daemon, NULL, NULL);
	assert_int_equal(as_other(&who, status, &daemon), 0);
	lingerd_stop(&daemon);
}

static void only_named_users_and_root_are_let_in(void **state)
{
	const struct identity named = { USER, GROUP, OTHER_GROUP };
	const struct identity other = { USER + 1, GROUP, OTHER_GROUP };
	struct lingerd daemon;

	(void)state;
	start(&daemon, "--allow-users", "61234");
	assert_int_equal(as_other(&named, status, &daemon), 0);
	assert_int_equal(lingerd_counter(&daemon, "refused_access"), 0);
	assert_int_equal(as_other(&other, status, &daemon), EACCES);
	lingerd_expect(&daemon, "refused_access", 1);
	assert_true(file_contains(daemon.process.err, "of user 61235 is not of allow-users"));
	assert_int_equal(lingerd_counter(&daemon, "senders"), 1); /* this question */
	lingerd_expect_idle_fds(&daemon);
	lingerd_stop(&daemon);
}

static void a_group_is_enough_also_as_a_supplementary_one(void **state)
{
	const struct identity by_group = { USER, GROUP, 1 };
	const struct identity by_supplementary_group = { USER, 1, GROUP };
	const struct identity other = { USER, 1, OTHER_GROUP };
	struct lingerd daemon;

	(void)state;
	start(&daemon, "--allow-groups", "61235");
	assert_int_equal(as_other(&by_group, status, &daemon), 0);
	assert_int_equal(as_other(&by_supplementary_group, status, &daemon), 0);
	assert_int_equal(as_other(&other, status, &daemon), EACCES);
	lingerd_expect(&daemon, "refused_access", 1);
	lingerd_stop(&daemon);
}

static void who_is_not_let_in_learns_it_and_no_response_is_lost(void **state)
{
	const struct identity other = { USER + 1, GROUP, OTHER_GROUP };
	struct lingerd daemon;
	pid_t waker;
	int given;

	(void)state;
	start(&daemon, "--allow-users", "61234");
	/* It is slow: the first is handed over in any case before the daemon has looked who that is. */
	waker = stop_for_a_moment(&daemon);
	given = as_other(&other, hand_over, &daemon);
	waitpid(waker, NULL, 0);
	assert_in_range(given, 1, 100);
	assert_int_equal(lingerd_counter(&daemon, "handoffs"), given);
	assert_int_equal(lingerd_counter(&daemon, "refused_access"), 1);
	lingerd_expect(&daemon, "ended_fin", given);
	lingerd_expect_idle_fds(&daemon);
	lingerd_stop(&daemon);
}

/* As many as fit into its queue before the daemon looks who that is; ends when that has refused the last one. */
static int hand_over_blindly(const struct lingerd *daemon)
{
	struct linger_client *client;
	struct tcp_pair last = { .client = -1 };
	size_t length;
	int given = 0;

	if (linger_client_open(&client, daemon->socket))
		return 254;
	for (;; given++) {
		struct tcp_pair pair = tcp_pair_open();

		if (linger_handoff(client, pair.server))
			break;
		close(pair.server); /* its client stays open: it lingers, if it does */
		last = pair;
	}
	tcp_read_to_end(last.client, &length); /* half-closed */
	while (!tcp_write(last.client, 1))
		usleep(1000);
	return given;
}

static void what_it_had_sent_is_lingered_up_to_a_part_of_the_room(void **state)
{
	enum { ROOM = 64, PART = ROOM / 8 };
	static const char *const options[] = { "--socket-mode",
					       "0666",
					       "--max-connections",
					       "64",
					       "--allow-users",
					       "0",
					       "--idle-timeout",
					       "300",
					       "--total-timeout",
					       "300",
					       NULL };
	const struct identity other = { USER, GROUP, OTHER_GROUP };
	struct lingerd daemon;
	pid_t waker;
	int given;

	(void)state;
	lingerd_start(&daemon, options);
	assert_int_equal(chmod(daemon.folder, 0755), 0);
	waker = stop_for_a_moment(&daemon);
	given = as_other(&other, hand_over_blindly, &daemon);
	waitpid(waker, NULL, 0);
	assert_in_range(given, PART + 1, 250);
	lingerd_expect(&daemon, "refused_access", 1 + (uint64_t)given - PART);
	assert_int_equal(lingerd_counter(&daemon, "handoffs"), PART);
	lingerd_expect(&daemon, "ended_fin", PART); /* its clients have ended with it */
	lingerd_expect_idle_fds(&daemon);
	lingerd_stop(&daemon);
}

static void commands_are_for_root_and_the_daemon_itself(void **state)
{
	const struct identity other = { USER, GROUP, OTHER_GROUP };
	struct lingerd daemon;

	(void)state;
	start(&daemon, NULL, NULL);
	assert_int_equal(as_other(&other, command, &daemon), 1);
	assert_int_equal(lingerd_counter(&daemon, "refused_command"), 1);
	assert_int_equal(command(&daemon), 0);
	assert_int_equal(lingerd_counter(&daemon, "commands"), 1);
	lingerd_stop(&daemon);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everybody_may_who_can_open_the_socket),
		cmocka_unit_test(only_named_users_and_root_are_let_in),
		cmocka_unit_test(a_group_is_enough_also_as_a_supplementary_one),
		cmocka_unit_test(who_is_not_let_in_learns_it_and_no_response_is_lost),
		cmocka_unit_test(what_it_had_sent_is_lingered_up_to_a_part_of_the_room),
		cmocka_unit_test(commands_are_for_root_and_the_daemon_itself),
	};

	return cmocka_run_group_tests(tests, need_root, NULL);
}
