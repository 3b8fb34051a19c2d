/* SPDX-License-Identifier: MIT */
/*
 * FIN_WAIT_2 after close(), where the kernel keeps a mini-socket only: however it ends, the number
 * is right or there is none. Durations are checked against the test's own stamps.
 */
#include "tests/support/tcp.h"
#include "tests/support/trace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "common/clock.h"

/* For a packet that waits for ksoftirqd; less than the 100 ms that the tracer waits for an RST. */
enum { SLACK_MS = 90 };

struct connection {
	int client;
	int server;
	uint64_t cookie;
	uint64_t close_before, close_after; /* around the server's close() */
	uint64_t end_before, end_after;	    /* around what the client did then */
};

static struct trace trace;
static int listener;

/* In the test, not before it: there cmocka takes a skip for a failure. */
static void set_up(void)
{
	struct utsname system;
	int major = 0, minor = 0;
	bool possible;
	uint16_t port;

	listener = tcp_listen(0, &port);
	trace_start(&trace, port, 0);
	uname(&system);
	sscanf(system.release, "%d.%d", &major, &minor);
	possible = tracer_follows_mini_sockets(trace.tracer);
	if (!geteuid())
		assert_int_equal(possible, major * 1000 + minor >= 6011);
	if (!possible) {
		print_message("# SKIP mini-sockets are not followed here\n");
		skip();
	}
}

static int tear_down(void **state)
{
	(void)state;
	trace_stop(&trace);
	return close(listener);
}

static struct connection connection_open(void)
{
	struct sockaddr_in address;
	socklen_t length = sizeof(address);
	struct connection connection = { 0 };

	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &length), 0);
	connection.client = tcp_connect(ntohs(address.sin_port));
	connection.server = accept(listener, NULL, NULL);
	assert_true(connection.server >= 0);
	connection.cookie = socket_cookie(connection.server);
	return connection;
}

static struct connection begin(void)
{
	set_up();
	return connection_open();
}

static void close_server(struct connection *connection)
{
	connection->close_before = clock_now_ns();
	close(connection->server);
	connection->close_after = clock_now_ns();
}

static void close_client(struct connection *connection)
{
	connection->end_before = clock_now_ns();
	close(connection->client);
	connection->end_after = clock_now_ns();
}

static void reset_on_close(int fd)
{
	struct linger linger = { .l_onoff = 1 };

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
}

static void set_linger2(int fd, int seconds)
{
	assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_LINGER2, &seconds, sizeof(seconds)), 0);
}

static void poll_for_ms(unsigned int ms)
{
	uint64_t end = clock_now_ns() + ms * NS_PER_MS;

	while (clock_now_ns() < end)
		assert_int_equal(tracer_poll(trace.tracer, 1), 0);
}

static const struct close_record *wait_record(const struct connection *connection)
{
	const struct close_record *record = trace_wait(&trace, connection->cookie, 10);

	assert_non_null(record);
	return record;
}

/* FIN_WAIT_1 and FIN_WAIT_2 together are the time between the two calls that the test made. */
static void assert_measured(const struct close_record *record, const struct connection *connection)
{
	uint64_t sum = record->fin_wait_1_ns + record->fin_wait_2_ns;

	assert_true(record->fin_wait_1_ns != CLOSE_TRACE_UNKNOWN);
	assert_true(record->fin_wait_2_ns != CLOSE_TRACE_UNKNOWN);
	assert_in_range(sum, connection->end_before - connection->close_after,
			connection->end_after - connection->close_before + SLACK_MS * NS_PER_MS);
	assert_int_equal(record->orphan_ns, record->fin_wait_2_ns);
	assert_in_range(record->ended_ns, connection->end_before,
			connection->end_after + SLACK_MS * NS_PER_MS);
	assert_int_equal(record->closer.pid, getpid());
}

/* Below 2 s the timer of the mini-socket mostly stays in its bucket and says nothing. */
static void the_fin_ends_it_whenever_it_comes(void **state)
{
	static const unsigned int after_ms[] = {
		0, 1, 5, 50, 100, 300, 700, 1300, 1900, 2500, 3100
	};
	enum { COUNT = sizeof(after_ms) / sizeof(after_ms[0]) };
	struct connection connections[COUNT];
	unsigned int passed = 0;

	(void)state;
	set_up();
	for (size_t i = 0; i < COUNT; i++)
		connections[i] = connection_open();
	for (size_t i = 0; i < COUNT; i++)
		close_server(&connections[i]);
	for (size_t i = 0; i < COUNT; i++) {
		poll_for_ms(after_ms[i] - passed);
		passed = after_ms[i];
		close_client(&connections[i]);
	}
	for (size_t i = 0; i < COUNT; i++) {
		const struct close_record *record = wait_record(&connections[i]);

		assert_int_equal(record->end, CLOSE_END_FIN);
		if (i) /* the first may have crossed: both closed at once */
			assert_measured(record, &connections[i]);
	}
	assert_int_equal(trace.count, COUNT);
}

static void it_runs_out(void **state)
{
	struct connection connection = begin();
	const struct close_record *record;

	(void)state;
	set_linger2(connection.server, 1);
	/* In FIN_WAIT_2 before close(): otherwise the kernel may keep the socket and send an RST.
	 */
	shutdown(connection.server, SHUT_WR);
	poll_for_ms(100);
	close_server(&connection);
	record = wait_record(&connection);
	assert_int_equal(record->end, CLOSE_END_TIMEOUT);
	assert_in_range(record->orphan_ns, 990 * NS_PER_MS,
			clock_now_ns() - connection.close_before);
	assert_true(record->fin_wait_2_ns >= record->orphan_ns);
	close(connection.client);
}

/* Above 60 s the kernel keeps the whole socket for the excess, then goes over to a mini-socket. */
static void an_orphan_that_becomes_a_mini_socket(void **state)
{
	struct connection connection = begin();
	const struct close_record *record;

	(void)state;
	set_linger2(connection.server, 62);
	close_server(&connection);
	poll_for_ms(2700);
	assert_int_equal(trace.count, 0);
	close_client(&connection);
	record = wait_record(&connection);
	assert_int_equal(record->end, CLOSE_END_FIN);
	assert_measured(record, &connection);
}

static void data_are_answered_with_a_reset(void **state)
{
	struct connection connection = begin();
	const struct close_record *record;

	(void)state;
	close_server(&connection);
	poll_for_ms(100);
	assert_int_equal(trace.count, 0);
	connection.end_before = clock_now_ns();
	assert_int_equal(send(connection.client, "late", 4, MSG_NOSIGNAL), 4);
	connection.end_after = clock_now_ns();
	record = wait_record(&connection);
	assert_int_equal(record->end, CLOSE_END_RESET_SENT);
	assert_measured(record, &connection);
	close(connection.client);
}

static void the_peer_resets_it(void **state)
{
	struct connection connection = begin();
	const struct close_record *record;

	(void)state;
	close_server(&connection);
	poll_for_ms(100);
	reset_on_close(connection.client);
	close_client(&connection);
	record = wait_record(&connection);
	assert_int_equal(record->end, CLOSE_END_RESET_RECEIVED);
	assert_measured(record, &connection);
}

static void half_closed_before_it_was_closed(void **state)
{
	struct connection connection = begin();
	const struct close_record *record;
	uint64_t half_closed = clock_now_ns();

	(void)state;
	shutdown(connection.server, SHUT_WR);
	poll_for_ms(60);
	close_server(&connection);
	poll_for_ms(100);
	close_client(&connection);
	record = wait_record(&connection);
	assert_int_equal(record->end, CLOSE_END_FIN);
	assert_in_range(record->fin_wait_1_ns + record->fin_wait_2_ns, 160 * NS_PER_MS,
			connection.end_after - half_closed + SLACK_MS * NS_PER_MS);
	assert_in_range(record->orphan_ns, connection.end_before - connection.close_after,
			connection.end_after - connection.close_before + SLACK_MS * NS_PER_MS);
}

static void it_lasts_beyond_the_trace(void **state)
{
	struct connection connection = begin();
	const struct close_record *record;

	(void)state;
	close_server(&connection);
	poll_for_ms(100);
	assert_int_equal(tracer_finish(trace.tracer), 0);
	record = trace_find(&trace, connection.cookie);
	assert_non_null(record);
	assert_int_equal(record->end, CLOSE_END_OPEN);
	assert_true(record->flags & CLOSE_FIN_WAIT_2); /* a stay, of unknown length */
	assert_true(record->fin_wait_2_ns == CLOSE_TRACE_UNKNOWN);
	assert_true(record->orphan_ns == CLOSE_TRACE_UNKNOWN);
	assert_true(record->ended_ns == CLOSE_TRACE_UNKNOWN);
	assert_int_equal(record->closer.pid, getpid());
	close(connection.client);
}

/* Many at once, ended in any order and in every way that leaves a stamp. */
static void none_of_many_is_wrong(void **state)
{
	enum { COUNT = 600 };
	struct connection *connections = calloc(COUNT, sizeof(*connections));
	struct tracer_counts losses;
	struct rlimit files;
	size_t empty = 0;

	(void)state;
	/* Two descriptors each: more than a process is mostly given, less than it may take. */
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
	files.rlim_cur = files.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
	set_up();
	assert_non_null(connections);
	srandom(7);
	for (size_t i = 0; i < COUNT; i++)
		connections[i] = connection_open();
	for (size_t i = 0; i < COUNT; i++)
		close_server(&connections[i]);
	poll_for_ms(250); /* each FIN is acknowledged, or an RST would end FIN_WAIT_1 */
	for (size_t left = COUNT; left; left--) {
		size_t pick = (size_t)random() % left;
		struct connection connection = connections[pick];

		connections[pick] = connections[left - 1];
		if (left % 8 == 0)
			reset_on_close(connection.client);
		close_client(&connection);
		connections[left - 1] = connection;
		poll_for_ms((unsigned int)random() % 8);
	}
	for (size_t i = 0; i < COUNT; i++) {
		const struct close_record *record = wait_record(&connections[i]);

		assert_int_equal(record->end,
				 (i + 1) % 8 ? CLOSE_END_FIN : CLOSE_END_RESET_RECEIVED);
		if (record->fin_wait_1_ns == CLOSE_TRACE_UNKNOWN ||
		    record->fin_wait_2_ns == CLOSE_TRACE_UNKNOWN)
			empty++;
		else
			assert_measured(record, &connections[i]);
	}
	assert_int_equal(trace.count, COUNT);
	tracer_get_counts(trace.tracer, &losses);
	assert_int_equal(losses.ring_full + losses.map_full, 0);
	assert_true(empty <= losses.missed_events); /* an event that was skipped empties a field */
	free(connections);
}

/* The same over IPv6, whose receive path is another. */
static void over_ipv6(void **state)
{
	struct sockaddr_in6 address = { .sin6_family = AF_INET6,
					.sin6_addr = IN6ADDR_LOOPBACK_INIT };
	socklen_t length = sizeof(address);
	struct connection connection = { 0 };
	const struct close_record *record;
	struct trace trace_6;
	int listener_6 = socket(AF_INET6, SOCK_STREAM, 0);

	(void)state;
	set_up();
	if (listener_6 < 0 || bind(listener_6, (struct sockaddr *)&address, sizeof(address))) {
		print_message("# SKIP no IPv6 on this machine\n");
		skip();
	}
	assert_int_equal(listen(listener_6, 1), 0);
	assert_int_equal(getsockname(listener_6, (struct sockaddr *)&address, &length), 0);
	trace_start(&trace_6, ntohs(address.sin6_port), 0);
	connection.client = socket(AF_INET6, SOCK_STREAM, 0);
	assert_int_equal(connect(connection.client, (struct sockaddr *)&address, length), 0);
	connection.server = accept(listener_6, NULL, NULL);
	connection.cookie = socket_cookie(connection.server);
	close_server(&connection);
	usleep(100000);
	close_client(&connection);
	record = trace_wait(&trace_6, connection.cookie, 5);
	assert_non_null(record);
	assert_int_equal(record->end, CLOSE_END_FIN);
	assert_int_equal(record->family, AF_INET6);
	assert_memory_equal(record->laddr, &in6addr_loopback, 16);
	assert_memory_equal(record->raddr, &in6addr_loopback, 16);
	assert_measured(record, &connection);
	trace_stop(&trace_6);
	close(listener_6);
}

static int run_group(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(the_fin_ends_it_whenever_it_comes, tear_down),
		cmocka_unit_test_teardown(it_runs_out, tear_down),
		cmocka_unit_test_teardown(an_orphan_that_becomes_a_mini_socket, tear_down),
		cmocka_unit_test_teardown(data_are_answered_with_a_reset, tear_down),
		cmocka_unit_test_teardown(the_peer_resets_it, tear_down),
		cmocka_unit_test_teardown(half_closed_before_it_was_closed, tear_down),
		cmocka_unit_test_teardown(it_lasts_beyond_the_trace, tear_down),
		cmocka_unit_test_teardown(none_of_many_is_wrong, tear_down),
		cmocka_unit_test_teardown(over_ipv6, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	return trace_run_tests(run_group);
}
