/* SPDX-License-Identifier: MIT */
/* Many connections, few descriptors, too many senders: none is lost and nothing stays behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "liblinger/linger.h"
#include "liblinger/protocol.h"
#include "tests/support/lingerd.h"
#include "tests/support/tcp.h"

enum { RESPONSE = 1000, LATE = 500, LINGERS = 10000 };

static const char *const patient[] = { "--idle-timeout", "120", "--total-timeout", "120", NULL };
static const char *const few_fds[] = { "/bin/sh", "-c", "ulimit -n 64; exec \"$@\"", "sh", NULL };

/* The server's side of a connection that ends: answer, hand over, close. 0 or -EAGAIN. */
static int serve(struct linger_client *client, int server)
{
	int error;

	assert_int_equal(tcp_write(server, RESPONSE), 0);
	error = linger_handoff(client, server);
	assert_true(error == 0 || error == -EAGAIN);
	if (!error)
		close(server);
	return error;
}

/* The client's side: late data, and then all of the response and a clean end. */
static void finish_late(int fd)
{
	size_t length;

	assert_int_equal(tcp_write(fd, LATE), 0);
	assert_int_equal(tcp_read_to_end(fd, &length), 0);
	assert_int_equal(length, RESPONSE);
	close(fd);
}

static void with_few_descriptors_none_is_lost(void **state)
{
	enum { CONNECTIONS = 300 };
	static int taken[CONNECTIONS], refused[CONNECTIONS];
	int taken_count = 0, refused_count = 0;
	struct linger_client *client;
	struct lingerd daemon;
	uint64_t most;

	(void)state;
	lingerd_start_under(&daemon, few_fds, patient);
	most = lingerd_counter(&daemon, "max_connections");
	assert_in_range(most, 1, 60);
	assert_int_equal(linger_client_open(&client, daemon.socket), 0);
	for (int i = 0; i < CONNECTIONS; i++) {
		struct tcp_pair pair = tcp_pair_open();

		if (!serve(client, pair.server)) {
			taken[taken_count++] = pair.client;
			continue;
		}
		refused[refused_count++] = pair.client;
		close(pair.server); /* all is read and written: no reset */
	}
	assert_true(refused_count > 0);
	assert_true((uint64_t)taken_count > most); /* some wait in the queue of a full daemon */
	lingerd_expect(&daemon, "lingers", most);  /* which answers all the same */
	assert_int_equal(lingerd_counter(&daemon, "intake_pauses"), 1);
	for (int i = 0; i < taken_count; i++)
		finish_late(taken[i]);
	for (int i = 0; i < refused_count; i++)
		close(refused[i]);
	lingerd_expect(&daemon, "ended_fin", (uint64_t)taken_count);
	assert_int_equal(lingerd_counter(&daemon, "handoffs"), taken_count);
	assert_int_equal(lingerd_counter(&daemon, "drained_bytes"), taken_count * LATE);
	assert_int_equal(lingerd_counter(&daemon, "lingers_peak"), most);
	assert_int_equal(lingerd_counter(&daemon, "refused_truncated"), 0);
	linger_client_close(client);
	lingerd_expect_idle_fds(&daemon);
	lingerd_stop(&daemon);
}

/* The daemon ends while it is full and more is queued: what fits into the grace is lingered. */
static void a_full_daemon_that_ends_takes_what_was_sent(void **state)
{
	enum { CONNECTIONS = 60 };
	int clients[CONNECTIONS];
	struct linger_client *client;
	struct lingerd daemon;
	char said[64];
	int count = 0;

	(void)state;
	lingerd_start_under(&daemon, few_fds, patient);
	assert_int_equal(linger_client_open(&client, daemon.socket), 0);
	for (; count < CONNECTIONS; count++) {
		struct tcp_pair pair = tcp_pair_open();

		clients[count] = pair.client;
		if (serve(client, pair.server)) {
			close(pair.server);
			close(pair.client);
			break;
		}
	}
	lingerd_expect(&daemon, "lingers", lingerd_counter(&daemon, "max_connections"));
	assert_true((uint64_t)count > lingerd_counter(&daemon, "max_connections"));
	assert_int_equal(kill(daemon.process.pid, SIGTERM), 0);
	for (int i = 0; i < count; i++)
		finish_late(clients[i]);
	assert_int_equal(process_wait(&daemon.process, 30), 0);
	snprintf(said, sizeof(said), "ended: %d handoffs: %d fin;", count, count);
	assert_true(file_contains(daemon.process.err, said));
	linger_client_close(client);
	remove_folder(daemon.folder);
}

static void idle_senders_make_room_and_lose_nothing(void **state)
{
	enum { SENDERS = 100 }; /* more than a quarter of 64 */
	struct linger_client *clients[SENDERS];
	struct lingerd daemon;

	(void)state;
	lingerd_start_under(&daemon, few_fds, patient);
	for (int i = 0; i < SENDERS; i++)
		assert_int_equal(linger_client_open(&clients[i], daemon.socket), 0);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < SENDERS; i++) {
			struct tcp_pair pair = tcp_pair_open();
			int error;

			while ((error = serve(clients[i], pair.server)) == -EAGAIN)
				usleep(1000);
			finish_late(pair.client);
		}
	}
	lingerd_expect(&daemon, "ended_fin", 3 * SENDERS);
	assert_int_equal(lingerd_counter(&daemon, "handoffs"), 3 * SENDERS);
	assert_true(lingerd_counter(&daemon, "senders_evicted") > SENDERS);
	for (int i = 0; i < SENDERS; i++)
		linger_client_close(clients[i]);
	lingerd_expect_idle_fds(&daemon);
	lingerd_stop(&daemon);
}

/* All senders wait for a full daemon, so none can be evicted for one more: it waits, too, and is
 * met. */
static void senders_beyond_the_last_are_served_when_there_is_room(void **state)
{
	enum { SENDERS = 20, CONNECTIONS_MAX = 64 };
	struct linger_client *clients[SENDERS];
	int peers[CONNECTIONS_MAX + SENDERS];
	struct lingerd daemon;
	int most, count = 0;

	(void)state;
	lingerd_start_under(&daemon, few_fds, patient);
	most = (int)lingerd_counter(&daemon, "max_connections");
	assert_in_range(most, 1, CONNECTIONS_MAX);
	for (int i = 0; i < SENDERS; i++)
		assert_int_equal(linger_client_open(&clients[i], daemon.socket), 0);
	for (; count < most + SENDERS; count++) {
		struct tcp_pair pair = tcp_pair_open();

		if (count == most + 16)
			usleep(200000); /* until all others wait; asking would take a place */
		peers[count] = pair.client;
		assert_int_equal(serve(clients[count < most ? 0 : count - most], pair.server), 0);
	}
	usleep(200000);
	for (int i = 0; i < count; i++)
		finish_late(peers[i]);
	lingerd_expect(&daemon, "ended_fin", (uint64_t)count);
	assert_int_equal(lingerd_counter(&daemon, "handoffs"), count);
	for (int i = 0; i < SENDERS; i++)
		linger_client_close(clients[i]);
	lingerd_expect_idle_fds(&daemon);
	lingerd_stop(&daemon);
}

static void send_message(int sender, enum linger_message_type type, int fd)
{
	const struct linger_message message = {
		.magic = LINGER_PROTOCOL_MAGIC,
		.version = LINGER_PROTOCOL_VERSION,
		.size = sizeof(message),
		.type = (uint16_t)type,
	};

	sender_send(sender, &message, sizeof(message), &fd, type == LINGER_MESSAGE_HANDOFF);
}

/* The unread answer comes as ECONNRESET, before the handoff that must wait. */
static void a_full_daemon_waits_with_what_a_lost_sender_had_sent(void **state)
{
	static const char *const options[] = { "--idle-timeout", "60", "--max-connections", "1",
					       NULL };
	struct tcp_pair first = tcp_pair_open(), second = tcp_pair_open();
	struct lingerd daemon;
	int sender;
	char byte;

	(void)state;
	lingerd_start(&daemon, options);
	sender = sender_connect(&daemon);
	send_message(sender, LINGER_MESSAGE_HANDOFF, first.server);
	send_message(sender, LINGER_MESSAGE_STATUS, -1);
	assert_int_equal(recv(sender, &byte, 1, MSG_PEEK), 1);
	assert_int_equal(kill(daemon.process.pid, SIGSTOP), 0);
	send_message(sender, LINGER_MESSAGE_HANDOFF, second.server);
	close(sender);
	assert_int_equal(kill(daemon.process.pid, SIGCONT), 0);
	lingerd_expect(&daemon, "intake_pauses", 1);
	close(first.server);
	close(second.server);
	close(first.client);
	lingerd_expect(&daemon, "handoffs", 2);
	close(second.client);
	lingerd_expect(&daemon, "ended_fin", 2);
	assert_int_equal(lingerd_counter(&daemon, "lingers_peak"), 1);
	lingerd_expect_idle_fds(&daemon);
	lingerd_stop(&daemon);
}

static void hand_over_patiently(struct linger_client *client, int server)
{
	int error;

	while ((error = linger_handoff(client, server)) == -EAGAIN)
		usleep(1000);
	assert_int_equal(error, 0);
	close(server);
}

static long resident_kib(pid_t pid)
{
	char path[64], line[256];
	long kib = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	file = fopen(path, "r");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		if (!strncmp(line, "RssAnon:", 8))
			kib = strtol(line + 8, NULL, 10);
	fclose(file);
	assert_true(kib > 0);
	return kib;
}

static int connect_through(int listener, uint16_t port, int *ret_client)
{
	int server;

	*ret_client = tcp_connect(port);
	server = accept(listener, NULL, NULL);
	assert_true(server >= 0);
	return server;
}

static bool enough_fds(void)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	return limit.rlim_max >= LINGERS + 5000; /* the daemon keeps some for senders */
}

static void ten_thousand_at_once_cost_little_and_leave_nothing(void **state)
{
	static int clients[LINGERS];
	struct linger_client *client;
	struct lingerd daemon;
	uint16_t port;
	int listener = tcp_listen(0, &port);
	long before, kib;

	(void)state;
	if (!enough_fds()) {
		print_message(
			"# SKIP the limit of open files is too low for ten thousand lingers\n");
		skip();
	}
	lingerd_start(&daemon, patient);
	assert_int_equal(linger_client_open(&client, daemon.socket), 0);
	before = resident_kib(daemon.process.pid);
	for (int i = 0; i < LINGERS; i++)
		hand_over_patiently(client, connect_through(listener, port, &clients[i]));
	lingerd_expect(&daemon, "lingers", LINGERS);
	kib = resident_kib(daemon.process.pid) - before;
	print_message("# %ld bytes resident per linger\n", kib * 1024 / LINGERS);
	if (!built_sanitized())
		assert_true(kib * 1024 <= LINGERS * 64);
	for (int i = 0; i < LINGERS; i++)
		close(clients[i]);
	lingerd_expect(&daemon, "ended_fin", LINGERS);
	assert_int_equal(lingerd_counter(&daemon, "lingers"), 0);
	assert_int_equal(lingerd_counter(&daemon, "lingers_peak"), LINGERS);
	linger_client_close(client);
	lingerd_expect_idle_fds(&daemon);
	lingerd_stop(&daemon);
	close(listener);
}

/* The sanitized build has LeakSanitizer for this: its daemon exits with an error at a leak. */
static void ten_thousand_under_valgrind_leak_nothing(void **state)
{
	static const char *const valgrind[] = {
		"/usr/bin/valgrind",
		"-q",
		"--leak-check=full",
		"--show-leak-kinds=all",
		"--errors-for-leak-kinds=all",
		"--error-exitcode=99",
		NULL,
	};
	/* valgrind calls the kernel for itself, too. */
	static const char *const options[] = {
		"--idle-timeout", "120", "--total-timeout", "120", "--sandbox", "off", NULL
	};
	enum { BATCH = 200 };
	int clients[BATCH];
	struct linger_client *client;
	struct lingerd daemon;
	uint16_t port;
	int listener;

	(void)state;
	if (built_sanitized() || access(valgrind[0], X_OK)) {
		print_message("# SKIP %s\n", built_sanitized()
						     ? "LeakSanitizer looks for leaks here"
						     : "no valgrind");
		skip();
	}
	listener = tcp_listen(0, &port);
	lingerd_start_under(&daemon, valgrind, options);
	assert_int_equal(linger_client_open(&client, daemon.socket), 0);
	for (int done = 0; done < LINGERS; done += BATCH) {
		for (int i = 0; i < BATCH; i++)
			hand_over_patiently(client, connect_through(listener, port, &clients[i]));
		for (int i = 0; i < BATCH; i++) {
			if (i % 2)
				assert_int_equal(tcp_write(clients[i], LATE), 0);
			close(clients[i]);
		}
	}
	lingerd_expect(&daemon, "ended_fin", LINGERS);
	assert_int_equal(lingerd_counter(&daemon, "drained_bytes"), LINGERS / 2 * LATE);
	linger_client_close(client);
	lingerd_expect_idle_fds(&daemon);
	lingerd_stop(&daemon); /* expects exit status 0, so no error and no leak */
	close(listener);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(with_few_descriptors_none_is_lost),
		cmocka_unit_test(a_full_daemon_that_ends_takes_what_was_sent),
		cmocka_unit_test(idle_senders_make_room_and_lose_nothing),
		cmocka_unit_test(senders_beyond_the_last_are_served_when_there_is_room),
		cmocka_unit_test(a_full_daemon_waits_with_what_a_lost_sender_had_sent),
		cmocka_unit_test(ten_thousand_at_once_cost_little_and_leave_nothing),
		cmocka_unit_test(ten_thousand_under_valgrind_leak_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
