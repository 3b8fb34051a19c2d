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
#include <unistd.h>

#include "common/clock.h"
#include "liblinger/linger.h"
#include "liblinger/protocol.h"
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
