/* SPDX-License-Identifier: MIT */
/* One daemon takes over from another: nothing that lingers is reset, forgotten, or gets more time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/clock.h"
#include "liblinger/linger.h"
#include "liblinger/protocol.h"
#include "lingerd/batch.h"
#include "tests/support/lingerd.h"
#include "tests/support/tcp.h"

static const char *const patient[] = { "--idle-timeout", "300", "--total-timeout", "300", NULL };

static void all_that_lingers_goes_on(void **state)
{
	enum { COUNT = 300 }; /* more than fit into one message */
	static struct tcp_pair pairs[COUNT];
	struct linger_client *client;
	struct lingerd daemon;

	(void)state;
	lingerd_start(&daemon, patient);
	assert_int_equal(linger_client_open(&client, daemon.socket), 0);
	for (int i = 0; i < COUNT; i++)
		pairs[i] = lingerd_hand_over(client);
	lingerd_expect(&daemon, "lingers", COUNT);
	lingerd_take_over(&daemon, "second", patient);
	lingerd_expect(&daemon, "restored", COUNT);
	assert_int_equal(lingerd_counter(&daemon, "handoffs"), 0);
	for (int i = 0; i < COUNT; i++) {
		size_t length;

		assert_int_equal(tcp_write(pairs[i].client, 1000), 0);
		assert_int_equal(tcp_read_to_end(pairs[i].client, &length), 0);
	}
	lingerd_expect(&daemon, "drained_bytes", COUNT * 1000);
	for (int i = 0; i < COUNT; i++)
		close(pairs[i].client);
	lingerd_expect(&daemon, "ended_fin", COUNT);
	/* The client of liblinger finds the new one by itself. */
	pairs[0] = lingerd_hand_over(client);
	close(pairs[0].client);
	lingerd_expect(&daemon, "ended_fin", COUNT + 1);
	assert_int_equal(lingerd_counter(&daemon, "handoffs"), 1);
	linger_client_close(client);
	lingerd_expect_idle_fds(&daemon);
	lingerd_stop(&daemon);
}

static bool has_ended(void *daemon)
{
	return lingerd_counter(daemon, "ended_total") == 1;
}

static void deadlines_are_kept(void **state)
{
	static const char *const options[] = { "--idle-timeout", "300", "--total-timeout", "3",
					       NULL };
	struct linger_client *client;
	struct tcp_pair pair;
	struct lingerd daemon;
	uint64_t began;

	(void)state;
	lingerd_start(&daemon, options);
	assert_int_equal(linger_client_open(&client, daemon.socket), 0);
	began = clock_now_ns();
	pair = lingerd_hand_over(client);
	lingerd_expect(&daemon, "lingers", 1);
	sleep(1);
	lingerd_take_over(&daemon, "second", options);
	sleep(1);
	lingerd_take_over(&daemon, "third", options);
	assert_true(wait_until(has_ended, &daemon, 30));
	assert_true(clock_now_ns() - began >= 3 * NS_PER_S);
	assert_true(clock_now_ns() - began < 10 * NS_PER_S); /* it did not begin anew each time */
	close(pair.client);
	linger_client_close(client);
	lingerd_stop(&daemon);
}

/* Hands over as long as it may; each client still has something to say when it has its answer. */
struct server {
	const struct lingerd *daemon;
	atomic_bool stop;
	int handed_over, kept;
	int broken; /* responses that did not arrive whole */
};

enum { RESPONSE = 20000 };

static void serve_one(struct server *server, struct linger_client *client)
{
	struct tcp_pair pair = tcp_pair_open();
	size_t length = 0;

	assert_int_equal(tcp_write(pair.client, 500), 0); /* unread */
	assert_int_equal(tcp_write(pair.server, RESPONSE), 0);
	if (linger_handoff(client, pair.server)) {
		shutdown(pair.server, SHUT_WR);
		server->kept++;
	} else {
		close(pair.server);
		pair.server = -1;
		server->handed_over++;
	}
	if (tcp_write(pair.client, 500) || tcp_read_to_end(pair.client, &length) ||
	    length != RESPONSE)
		server->broken++;
	close(pair.client);
	if (pair.server >= 0)
		close(pair.server);
}

static void *serve(void *context)
{
	struct server *server = context;
	struct linger_client *client;

	assert_int_equal(linger_client_open(&client, server->daemon->socket), 0);
	while (!server->stop)
		serve_one(server, client);
	linger_client_close(client);
	return NULL;
}

static void nothing_is_lost_while_servers_hand_over(void **state)
{
	enum { SERVERS = 3, TIMES = 8 };
	struct server servers[SERVERS];
	pthread_t threads[SERVERS];
	struct lingerd daemon;
	int handed_over = 0, counted = 0;
	char name[16];

	(void)state;
	lingerd_start(&daemon, patient);
	for (int i = 0; i < SERVERS; i++) {
		servers[i] = (struct server){ .daemon = &daemon };
		assert_int_equal(pthread_create(&threads[i], NULL, serve, &servers[i]), 0);
	}
	for (int i = 0; i < TIMES; i++) {
		struct process old = daemon.process;
		char text[512] = "", *end;
		int handoffs = 0;
		FILE *file;

		usleep(100000);
		snprintf(name, sizeof(name), "next%d", i);
		lingerd_take_over(&daemon, name, patient);
		file = fopen(old.err, "r");
		assert_non_null(file);
		while (fgets(text, sizeof(text), file))
			if ((end = strstr(text, "ended: ")))
				handoffs = atoi(end + strlen("ended: "));
		fclose(file);
		assert_true(handoffs > 0);
		counted += handoffs;
	}
	for (int i = 0; i < SERVERS; i++) {
		servers[i].stop = true;
		pthread_join(threads[i], NULL);
		handed_over += servers[i].handed_over;
		assert_int_equal(servers[i].broken, 0);
	}
	lingerd_expect(&daemon, "lingers", 0);
	counted += (int)lingerd_counter(&daemon, "handoffs");
	assert_int_equal(counted, handed_over);
	lingerd_expect_idle_fds(&daemon);
	lingerd_stop(&daemon);
}

static void who_asks_and_leaves_takes_nothing_away(void **state)
{
	const struct linger_message question = {
		.magic = LINGER_PROTOCOL_MAGIC,
		.version = LINGER_PROTOCOL_VERSION,
		.size = sizeof(question),
		.type = LINGER_MESSAGE_TAKE_OVER,
	};
	struct linger_client *client;
	struct tcp_pair pair;
	struct lingerd daemon;
	int asker;

	(void)state;
	lingerd_start(&daemon, patient);
	assert_int_equal(linger_client_open(&client, daemon.socket), 0);
	pair = lingerd_hand_over(client);
	lingerd_expect(&daemon, "lingers", 1);
	assert_int_equal(kill(daemon.process.pid, SIGSTOP), 0);
	asker = sender_connect(&daemon);
	sender_send(asker, &question, sizeof(question), NULL, 0);
	close(asker);
	assert_int_equal(kill(daemon.process.pid, SIGCONT), 0);
	lingerd_expect(&daemon, "commands", 1);
	lingerd_expect(&daemon, "lingers", 1);
	assert_int_equal(lingerd_counter(&daemon, "passed_on"), 0);
	assert_int_equal(lingerd_counter(&daemon, "restored"), 0);
	close(pair.client);
	lingerd_expect(&daemon, "ended_fin", 1);
	pair = lingerd_hand_over(client);
	close(pair.client);
	lingerd_expect(&daemon, "ended_fin", 2);
	linger_client_close(client);
	lingerd_expect_idle_fds(&daemon);
	lingerd_stop(&daemon);
}

static void where_nobody_runs_it_starts_as_ever(void **state)
{
	static const char *const options[] = { "--take-over", NULL };
	struct lingerd daemon;

	(void)state;
	lingerd_start(&daemon, options);
	assert_int_equal(lingerd_counter(&daemon, "restored"), 0);
	lingerd_stop(&daemon);
}

static void what_finds_no_room_waits_for_it(void **state)
{
	static const char *const small[] = { "--idle-timeout", "300", "--max-connections", "40",
					     NULL };
	enum { COUNT = 200 };
	static struct tcp_pair pairs[COUNT];
	struct linger_client *client;
	struct lingerd daemon;
	size_t length;

	(void)state;
	lingerd_start(&daemon, patient);
	assert_int_equal(linger_client_open(&client, daemon.socket), 0);
	for (int i = 0; i < COUNT; i++)
		pairs[i] = lingerd_hand_over(client);
	lingerd_expect(&daemon, "lingers", COUNT);
	lingerd_take_over(&daemon, "second", small);
	assert_in_range(lingerd_counter(&daemon, "lingers"), 1, 40);
	assert_true(file_contains(daemon.process.err, "the rest waits until some have ended"));
	/* And on to a third one, which has the room. */
	lingerd_take_over(&daemon, "third", patient);
	lingerd_expect(&daemon, "lingers", COUNT);
	lingerd_take_over(&daemon, "fourth", small);
	for (int i = 0; i < COUNT; i++) {
		assert_int_equal(tcp_write(pairs[i].client, 1000), 0);
		assert_int_equal(tcp_read_to_end(pairs[i].client, &length), 0);
		close(pairs[i].client);
	}
	lingerd_expect(&daemon, "ended_fin", COUNT);
	assert_int_equal(lingerd_counter(&daemon, "restored"), COUNT);
	linger_client_close(client);
	lingerd_expect_idle_fds(&daemon);
	lingerd_stop(&daemon);
}

/* Full, and as much again waits in a sender's queue: nothing of it is cut, whether the takeover succeeds or not. */
static void a_full_daemon_loses_nothing_either(void **state)
{
	static const char *const full[] = { "--idle-timeout", "300", "--max-connections", "20",
					    NULL };
	enum { COUNT = 40 };
	const struct linger_message question = {
		.magic = LINGER_PROTOCOL_MAGIC,
		.version = LINGER_PROTOCOL_VERSION,
		.size = sizeof(question),
		.type = LINGER_MESSAGE_TAKE_OVER,
	};
	static struct tcp_pair pairs[COUNT];
	struct linger_client *client;
	struct lingerd daemon;
	size_t length;
	int asker;

	(void)state;
	lingerd_start(&daemon, full);
	assert_int_equal(linger_client_open(&client, daemon.socket), 0);
	for (int i = 0; i < COUNT; i++)
		pairs[i] = lingerd_hand_over(client);
	lingerd_expect(&daemon, "lingers", 20);
	asker = sender_connect(&daemon);
	sender_send(asker, &question, sizeof(question), NULL, 0);
	close(asker);
	lingerd_expect(&daemon, "handoffs", COUNT);
	assert_in_range(lingerd_counter(&daemon, "lingers"), 1, 32);
	lingerd_take_over(&daemon, "second", full);
	for (int i = 0; i < COUNT; i++) {
		assert_int_equal(tcp_write(pairs[i].client, 1000), 0);
		assert_int_equal(tcp_read_to_end(pairs[i].client, &length), 0);
		close(pairs[i].client);
	}
	lingerd_expect(&daemon, "ended_fin", COUNT);
	linger_client_close(client);
	lingerd_stop(&daemon);
}

/*
 * Servers' queues hold more than this user may have on the way between processes: the takeover is refused, and costs
 * nobody anything.
 */
static void a_takeover_that_cannot_take_all_takes_nothing(void **state)
{
	static const char *const few_fds[] = { "/bin/sh", "-c", "ulimit -n 64; exec \"$@\"", "sh",
					       NULL };
	static const char *const long_patience[] = { "--idle-timeout", "300", NULL };
	enum { SENDERS = 6, EACH = 20, MOST = 64 + SENDERS * EACH };
	static struct tcp_pair pairs[MOST];
	struct linger_client *clients[SENDERS];
	struct process second;
	struct lingerd daemon;
	size_t length;
	const char *argv[] = { NULL, "--take-over", "--socket", daemon.socket, NULL };
	int count = 0;

	(void)state;
	lingerd_start_under(&daemon, few_fds, long_patience);
	for (int i = 0; i < SENDERS; i++)
		assert_int_equal(linger_client_open(&clients[i], daemon.socket), 0);
	while (lingerd_counter(&daemon, "intake_pauses") == 0)
		pairs[count++] = lingerd_hand_over(clients[0]);
	for (int i = 1; i < SENDERS; i++)
		for (int j = 0; j < EACH; j++)
			pairs[count++] = lingerd_hand_over(clients[i]);
	argv[0] = built("lingerd");
	process_start(&second, daemon.folder, "second", (char *const *)argv);
	assert_int_equal(process_wait(&second, 30), 1);
	assert_true(file_contains(second.err, "raise its limit of open files"));
	assert_true(file_contains(daemon.process.err, "cannot take over, going on"));
	for (int i = 0; i < count; i++) {
		assert_int_equal(tcp_write(pairs[i].client, 1000), 0);
		assert_int_equal(tcp_read_to_end(pairs[i].client, &length), 0);
		close(pairs[i].client);
	}
	lingerd_expect(&daemon, "ended_fin", (uint64_t)count);
	assert_int_equal(lingerd_counter(&daemon, "handoffs"), count);
	assert_int_equal(lingerd_counter(&daemon, "ended_shed"), 0);
	assert_int_equal(lingerd_counter(&daemon, "passed_on"), 0);
	assert_int_equal(lingerd_counter(&daemon, "restored"), 0);
	for (int i = 0; i < SENDERS; i++)
		linger_client_close(clients[i]);
	lingerd_expect_idle_fds(&daemon);
	lingerd_stop(&daemon);
}

/* A lingerd of another version, as far as the next one sees it: it passes on what only it can read. */
static int answer_as_another_version(int listener, int *ret_queue)
{
	static const char granted[] = "ok: it is yours\n";
	const struct batch_header foreign = { .magic = BATCH_MAGIC, .version = BATCH_VERSION + 1 };
	struct linger_message question;
	int queue[2], word[2], asker = accept(listener, NULL, NULL);

	assert_true(asker >= 0);
	assert_int_equal(recv(asker, &question, sizeof(question), 0), sizeof(question));
	assert_int_equal(question.type, LINGER_MESSAGE_TAKE_OVER);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, queue), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, word), 0);
	assert_int_equal(send(queue[1], &foreign, sizeof(foreign), 0), sizeof(foreign));
	sender_send(asker, granted, strlen(granted),
		    (const int[]){ listener, listener, word[1], queue[0] }, 4);
	close(word[1]);
	close(queue[1]);
	close(asker);
	*ret_queue = queue[0];
	return word[0];
}

static void what_another_version_passes_on_is_left_to_it(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int listener = socket(AF_UNIX, SOCK_SEQPACKET, 0), word, queue;
	char folder[256], byte;
	struct batch_header left;
	struct process next;
	const char *argv[] = { NULL, "--take-over", "--socket", address.sun_path, NULL };

	(void)state;
	make_folder(folder);
	assert_true(snprintf(address.sun_path, sizeof(address.sun_path), "%s/s", folder) <
		    (int)sizeof(address.sun_path));
	assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(listener, 8), 0);
	argv[0] = built("lingerd");
	process_start(&next, folder, "next", (char *const *)argv);
	word = answer_as_another_version(listener, &queue);
	assert_int_equal(process_wait(&next, 30), 1);
	assert_true(file_contains(next.err, "is of another version"));
	assert_int_equal(recv(word, &byte, 1, 0), 0); /* it has not confirmed */
	assert_int_equal(recv(queue, &left, sizeof(left), MSG_DONTWAIT), sizeof(left));
	close(word);
	close(queue);
	close(listener);
	remove_folder(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_that_lingers_goes_on),
		cmocka_unit_test(deadlines_are_kept),
		cmocka_unit_test(nothing_is_lost_while_servers_hand_over),
		cmocka_unit_test(who_asks_and_leaves_takes_nothing_away),
		cmocka_unit_test(where_nobody_runs_it_starts_as_ever),
		cmocka_unit_test(what_finds_no_room_waits_for_it),
		cmocka_unit_test(a_full_daemon_loses_nothing_either),
		cmocka_unit_test(a_takeover_that_cannot_take_all_takes_nothing),
		cmocka_unit_test(what_another_version_passes_on_is_left_to_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
