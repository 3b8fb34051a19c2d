/* SPDX-License-Identifier: MIT */
/* Whatever a sender sends: counted, every descriptor closed, and the next one served. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <netinet/in.h>
#include <signal.h>
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

static const char *const no_options[] = { "--idle-timeout", "30", NULL };

static const struct linger_message handoff = {
	.magic = LINGER_PROTOCOL_MAGIC,
	.version = LINGER_PROTOCOL_VERSION,
	.size = sizeof(handoff),
	.type = LINGER_MESSAGE_HANDOFF,
};

struct setting {
	struct lingerd daemon;
	int sender;
};

static int set_up(void **state)
{
	static struct setting setting;

	lingerd_start(&setting.daemon, no_options);
	setting.sender = sender_connect(&setting.daemon);
	*state = &setting;
	return 0;
}

static int tear_down(void **state)
{
	struct setting *setting = *state;

	close(setting->sender);
	lingerd_expect_idle_fds(&setting->daemon);
	lingerd_stop(&setting->daemon);
	return 0;
}

/* That the daemon still does its work, on this very connection. */
static void expect_service(struct setting *setting)
{
	struct tcp_pair pair = tcp_pair_open();
	uint64_t ended;
	size_t length;

	sender_send(setting->sender, &handoff, sizeof(handoff), &pair.server, 1);
	close(pair.server);
	assert_int_equal(tcp_read_to_end(pair.client, &length), 0); /* it half-closed for us */
	/* A sender's messages are taken in their order: all before this one have been counted. */
	ended = lingerd_counter(&setting->daemon, "ended_fin");
	close(pair.client);
	lingerd_expect(&setting->daemon, "ended_fin", ended + 1);
}

static void a_handoff_without_fd(void **state)
{
	struct setting *setting = *state;

	sender_send(setting->sender, &handoff, sizeof(handoff), NULL, 0);
	lingerd_expect(&setting->daemon, "refused_no_fd", 1);
	expect_service(setting);
}

static void more_fds_than_one(void **state)
{
	struct setting *setting = *state;
	struct tcp_pair pair = tcp_pair_open();
	int many[64];

	sender_send(setting->sender, &handoff, sizeof(handoff), (int[]){ pair.server, pair.client },
		    2);
	lingerd_expect(&setting->daemon, "refused_many_fds", 1);
	for (size_t i = 0; i < 64; i++)
		many[i] = pair.server;
	sender_send(setting->sender, &handoff, sizeof(handoff), many, 3);
	sender_send(setting->sender, &handoff, sizeof(handoff), many, 64);
	lingerd_expect(&setting->daemon, "refused_many_fds", 3);
	close(pair.server);
	close(pair.client);
	expect_service(setting);
}

static void descriptors_that_are_no_tcp(void **state)
{
	struct setting *setting = *state;
	int fds[2], udp, local[2];

	assert_int_equal(pipe(fds), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, local), 0);
	udp = socket(AF_INET, SOCK_DGRAM, 0);
	assert_true(udp >= 0);
	sender_send(setting->sender, &handoff, sizeof(handoff), &fds[0], 1);
	sender_send(setting->sender, &handoff, sizeof(handoff), &udp, 1);
	sender_send(setting->sender, &handoff, sizeof(handoff), &local[0], 1);
	lingerd_expect(&setting->daemon, "refused_not_tcp", 3);
	for (int i = 0; i < 2; i++) {
		close(fds[i]);
		close(local[i]);
	}
	close(udp);
	expect_service(setting);
}

static void tcp_that_is_not_connected(void **state)
{
	struct setting *setting = *state;
	struct tcp_pair pair;
	uint16_t port;
	int listener = tcp_listen(0, &port);
	int fresh = socket(AF_INET, SOCK_STREAM, 0);

	assert_true(fresh >= 0);
	sender_send(setting->sender, &handoff, sizeof(handoff), &listener, 1);
	sender_send(setting->sender, &handoff, sizeof(handoff), &fresh, 1);
	lingerd_expect(&setting->daemon, "refused_not_connected", 2);
	/* the server's listener is none the worse for it */
	pair.client = tcp_connect(port);
	pair.server = accept(listener, NULL, NULL);
	assert_true(pair.server >= 0);
	close(pair.server);
	close(pair.client);
	close(listener);
	close(fresh);
	expect_service(setting);
}

static void a_connection_that_was_reset_is_no_refusal(void **state)
{
	const struct linger hard = { .l_onoff = 1, .l_linger = 0 };
	struct setting *setting = *state;
	struct tcp_pair pair = tcp_pair_open();

	setsockopt(pair.client, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	close(pair.client);
	sender_send(setting->sender, &handoff, sizeof(handoff), &pair.server, 1);
	close(pair.server);
	lingerd_expect(&setting->daemon, "ended_reset", 1);
	assert_int_equal(lingerd_counter(&setting->daemon, "refused_not_connected"), 0);
	expect_service(setting);
}

/* Half a field is none, and fields that nobody knows yet are skipped. */
static void handoffs_of_other_revisions(void **state)
{
	struct setting *setting = *state;
	uint64_t ended = 0;

	for (uint16_t size = sizeof(handoff); size <= 64; size += 2) {
		struct tcp_pair pair = tcp_pair_open();
		struct linger_message longer = handoff;
		char bytes[64] = { 0 };

		longer.size = size;
		memcpy(bytes, &longer, sizeof(longer));
		sender_send(setting->sender, bytes, size, &pair.server, 1);
		close(pair.server);
		close(pair.client);
		lingerd_expect(&setting->daemon, "ended_fin", ++ended);
	}
	expect_service(setting);
}

static void messages_that_are_none(void **state)
{
	struct setting *setting = *state;
	struct tcp_pair pair = tcp_pair_open();
	struct linger_message future = handoff, unknown = handoff, question = handoff;
	char large[4096] = { 0 };

	future.version++;
	unknown.type = 77;
	question.type = LINGER_MESSAGE_STATUS;
	memcpy(large, &handoff, sizeof(handoff));
	sender_send(setting->sender, &future, sizeof(future), &pair.server, 1);
	lingerd_expect(&setting->daemon, "refused_version", 1);
	sender_send(setting->sender, "x", 1, &pair.server, 1);
	sender_send(setting->sender, "", 0, &pair.server, 1);
	sender_send(setting->sender, &handoff, sizeof(handoff) - 1, &pair.server, 1);
	sender_send(setting->sender, &unknown, sizeof(unknown), &pair.server, 1);
	sender_send(setting->sender, &question, sizeof(question), &pair.server, 1);
	sender_send(setting->sender, large, sizeof(large), &pair.server, 1);
	lingerd_expect(&setting->daemon, "refused_bad_message", 6);
	assert_int_equal(lingerd_counter(&setting->daemon, "handoffs"), 0);
	close(pair.server);
	close(pair.client);
	expect_service(setting);
}

static void the_log_names_a_cause_once_in_a_while(void **state)
{
	struct setting *setting = *state;
	char text[65536] = { 0 };
	int lines = 0;
	FILE *file;

	for (int i = 0; i < 1000; i++)
		sender_send(setting->sender, "x", 1, NULL, 0);
	lingerd_expect(&setting->daemon, "refused_bad_message", 1000);
	file = fopen(setting->daemon.process.err, "r");
	assert_non_null(file);
	assert_true(fread(text, 1, sizeof(text) - 1, file) > 0);
	fclose(file);
	for (const char *at = text; (at = strstr(at, "cannot be understood")); at++)
		lines++;
	assert_in_range(lines, 1, 4); /* one in ten seconds, on a machine however slow */
}

enum { QUEUED = 5 };

/* Hands connections over that their clients have closed already: all end as soon as taken. */
static void queue_handoffs(int sender)
{
	for (int i = 0; i < QUEUED; i++) {
		struct tcp_pair pair = tcp_pair_open();

		close(pair.client);
		sender_send(sender, &handoff, sizeof(handoff), &pair.server, 1);
		close(pair.server);
	}
}

/* The kernel tells of the unread answer first, as ECONNRESET, and has the queue all the same. */
static void a_sender_that_leaves_its_answer_unread_loses_nothing(void **state)
{
	struct setting *setting = *state;
	struct linger_message question = handoff;
	char byte;

	question.type = LINGER_MESSAGE_STATUS;
	sender_send(setting->sender, &question, sizeof(question), NULL, 0);
	assert_int_equal(recv(setting->sender, &byte, 1, MSG_PEEK), 1);
	assert_int_equal(kill(setting->daemon.process.pid, SIGSTOP), 0);
	queue_handoffs(setting->sender);
	close(setting->sender);
	assert_int_equal(kill(setting->daemon.process.pid, SIGCONT), 0);
	lingerd_expect(&setting->daemon, "handoffs", QUEUED);
	lingerd_expect(&setting->daemon, "ended_fin", QUEUED);
	setting->sender = sender_connect(&setting->daemon);
}

/* recv() says 0 to both: a datagram without bytes, and the end of the connection. */
static void an_empty_message_is_not_the_end(void **state)
{
	struct setting *setting = *state;

	assert_int_equal(kill(setting->daemon.process.pid, SIGSTOP), 0);
	sender_send(setting->sender, "", 0, NULL, 0);
	queue_handoffs(setting->sender);
	assert_int_equal(kill(setting->daemon.process.pid, SIGCONT), 0);
	lingerd_expect(&setting->daemon, "ended_fin", QUEUED);
	assert_int_equal(lingerd_counter(&setting->daemon, "refused_bad_message"), 1);
	expect_service(setting);
}

static void an_empty_message_hides_nothing_of_a_sender_that_left(void **state)
{
	struct setting *setting = *state;

	assert_int_equal(kill(setting->daemon.process.pid, SIGSTOP), 0);
	for (int i = 0; i < 3; i++) {
		sender_send(setting->sender, "", 0, NULL, 0);
		queue_handoffs(setting->sender);
	}
	sender_send(setting->sender, "", 0, NULL, 0);
	close(setting->sender);
	assert_int_equal(kill(setting->daemon.process.pid, SIGCONT), 0);
	lingerd_expect(&setting->daemon, "ended_fin", 3 * QUEUED);
	lingerd_expect(&setting->daemon, "senders", 1); /* this question */
	assert_int_equal(lingerd_counter(&setting->daemon, "refused_bad_message"), 3);
	setting->sender = sender_connect(&setting->daemon);
}

static size_t random_message(unsigned char bytes[64])
{
	size_t length = sizeof(handoff);

	memcpy(bytes, &handoff, sizeof(handoff));
	if (random() % 2) /* one byte of a good one changed, or all of it garbage */
		bytes[random() % (long)sizeof(handoff)] = (unsigned char)random();
	else if (random() % 2)
		for (length = 1 + (size_t)random() % 63; length && random() % 64;)
			bytes[random() % 64] = (unsigned char)random();
	if (bytes[offsetof(struct linger_message, type)] >= LINGER_MESSAGE_STATUS &&
	    bytes[offsetof(struct linger_message, type)] <= LINGER_MESSAGE_TAKE_OVER)
		bytes[offsetof(struct linger_message, type)] = 77; /* counted apart, or obeyed */
	return length;
}

/* All messages but questions. */
static uint64_t messages_counted(const struct lingerd *daemon)
{
	static const char *const names[] = {
		"handoffs",	   "refused_no_fd",	    "refused_many_fds",
		"refused_not_tcp", "refused_not_connected", "refused_bad_message",
		"refused_version", "refused_truncated",
	};
	uint64_t sum = 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		sum += lingerd_counter(daemon, names[i]);
	return sum;
}

enum { RANDOM_MESSAGES = 20000 };

static bool all_are_counted(void *context)
{
	return messages_counted(context) >= RANDOM_MESSAGES;
}

static void random_messages_with_random_fds(void **state)
{
	struct setting *setting = *state;
	struct tcp_pair pair = tcp_pair_open();
	unsigned char bytes[64] = { 0 };
	int fds[4], ends[2];

	assert_int_equal(pipe(ends), 0);
	/* The client closes first, so that every handoff ends at once. */
	close(pair.client);
	srandom(11);
	for (int i = 0; i < RANDOM_MESSAGES; i++) {
		size_t length = random_message(bytes);

		fds[0] = random() % 4 ? pair.server : ends[0];
		fds[1] = ends[1];
		fds[2] = pair.server;
		sender_send(setting->sender, bytes, length, fds, (size_t)random() % 4);
	}
	close(ends[0]);
	close(ends[1]);
	close(pair.server);
	wait_until(all_are_counted, &setting->daemon, 30);
	assert_int_equal(messages_counted(&setting->daemon), RANDOM_MESSAGES);
	expect_service(setting);
	assert_true(lingerd_counter(&setting->daemon, "handoffs") > 100);
	assert_int_equal(lingerd_counter(&setting->daemon, "lingers"), 0);
}

/*
 * close() of the last descriptor waits for that long while there is something unsent. The sender may arm it after the
 * handoff, and send more descriptors than a message may have.
 */
static void so_linger_of_a_sender_does_not_hold_the_daemon(void **state)
{
	enum { COUNT = 4 };
	static const char *const options[] = { "--idle-timeout", "0.3", NULL };
	static const struct linger armed = { .l_onoff = 1, .l_linger = 20 };
	static const char bytes[65536];
	int clients[COUNT], servers[COUNT];
	struct linger_client *client;
	struct lingerd daemon;
	uint64_t began;
	int sender;

	(void)state;
	lingerd_start(&daemon, options);
	assert_int_equal(linger_client_open(&client, daemon.socket), 0);
	sender = sender_connect(&daemon);
	for (int i = 0; i < COUNT; i++) {
		struct tcp_pair pair = tcp_pair_open();

		clients[i] = pair.client;
		servers[i] = pair.server;
		while (send(pair.server, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
			;
	}
	assert_int_equal(linger_handoff(client, servers[0]), 0);
	lingerd_expect(&daemon, "lingers", 1);
	/* So that it has the last descriptors, and not we. */
	assert_int_equal(kill(daemon.process.pid, SIGSTOP), 0);
	for (int i = 0; i < COUNT; i++)
		assert_int_equal(setsockopt(servers[i], SOL_SOCKET, SO_LINGER, &armed,
					    sizeof(armed)),
				 0);
	sender_send(sender, bytes, 1, &servers[1], COUNT - 1);
	for (int i = 0; i < COUNT; i++)
		close(servers[i]);
	assert_int_equal(kill(daemon.process.pid, SIGCONT), 0);
	began = clock_now_ns();
	lingerd_expect(&daemon, "refused_bad_message", 1);
	lingerd_expect(&daemon, "ended_idle", 1);
	assert_true(clock_now_ns() - began < 10 * NS_PER_S);
	for (int i = 0; i < COUNT; i++)
		close(clients[i]);
	close(sender);
	linger_client_close(client);
	lingerd_stop(&daemon);
}

#define INPUT_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		INPUT_TEST(a_handoff_without_fd),
		INPUT_TEST(more_fds_than_one),
		INPUT_TEST(descriptors_that_are_no_tcp),
		INPUT_TEST(tcp_that_is_not_connected),
		INPUT_TEST(a_connection_that_was_reset_is_no_refusal),
		INPUT_TEST(handoffs_of_other_revisions),
		INPUT_TEST(messages_that_are_none),
		INPUT_TEST(the_log_names_a_cause_once_in_a_while),
		INPUT_TEST(a_sender_that_leaves_its_answer_unread_loses_nothing),
		INPUT_TEST(an_empty_message_is_not_the_end),
		INPUT_TEST(an_empty_message_hides_nothing_of_a_sender_that_left),
		INPUT_TEST(random_messages_with_random_fds),
		cmocka_unit_test(so_linger_of_a_sender_does_not_hold_the_daemon),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
