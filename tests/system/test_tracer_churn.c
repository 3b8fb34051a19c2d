/* SPDX-License-Identifier: MIT */
/*
 * Many connections: each is a record or a loss that was counted, and none is both. An event that
 * the kernel skipped, of whatever connection on that CPU, may cost a row or a field.
 */
#include "tests/support/tcp.h"
#include "tests/support/trace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECTIONS = 5000, PAGE = 4096 };

/* The four ways that matter to the tracer: how it ends, and on which side of the close(). */
static void one_connection(int listener, uint16_t port, unsigned int way)
{
	struct linger reset = { .l_onoff = 1 };
	int client = tcp_connect(port);
	int server = accept(listener, NULL, NULL);

	assert_true(server >= 0);
	switch (way % 4) {
	case 0: /* FIN_WAIT_2 seen to its end */
		shutdown(server, SHUT_WR);
		close(client);
		close(server);
		break;
	case 1: /* goes on as a mini-socket */
		close(server);
		close(client);
		break;
	case 2: /* reset by the peer, with the server's socket an orphan */
		close(server);
		setsockopt(client, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		close(client);
		break;
	default:
		setsockopt(server, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		close(server);
		close(client);
	}
}

static int by_cookie(const void *left, const void *right)
{
	uint64_t a = ((const struct close_record *)left)->cookie;
	uint64_t b = ((const struct close_record *)right)->cookie;

	return (a > b) - (a < b);
}

static void assert_no_cookie_twice(struct trace *trace)
{
	qsort(trace->records, trace->count, sizeof(trace->records[0]), by_cookie);
	for (size_t i = 1; i < trace->count; i++)
		assert_true(trace->records[i - 1].cookie != trace->records[i].cookie);
}

static void every_connection_has_its_record(void **state)
{
	size_t ends[CLOSE_END_OPEN + 1] = { 0 }, empty = 0;
	struct tracer_counts losses;
	struct trace trace;
	uint16_t port;
	int listener = tcp_listen(0, &port);

	(void)state;
	trace_start(&trace, port, 0);
	for (unsigned int i = 0; i < CONNECTIONS; i++) {
		one_connection(listener, port, i);
		assert_int_equal(tracer_drain(trace.tracer), 0);
	}
	assert_int_equal(tracer_finish(trace.tracer), 0);
	tracer_get_counts(trace.tracer, &losses);
	assert_int_equal(losses.ring_full + losses.map_full, 0);
	assert_true(trace.count <= CONNECTIONS);
	for (size_t i = 0; i < trace.count; i++) {
		const struct close_record *record = &trace.records[i];

		if (!(record->flags & CLOSE_CALLED))
			empty++;
		else
			assert_int_equal(record->closer.pid, getpid());
		empty += record->close_call_ns == CLOSE_TRACE_UNKNOWN;
		ends[record->end]++;
	}
	empty += CONNECTIONS - trace.count;
	assert_true(ends[CLOSE_END_FIN] + losses.missed_events >= CONNECTIONS / 4);
	assert_true(ends[CLOSE_END_RESET_SENT] <= CONNECTIONS / 4);
	assert_true(ends[CLOSE_END_RESET_SENT] + losses.missed_events >= CONNECTIONS / 4);
	assert_true(ends[CLOSE_END_OPEN] + ends[CLOSE_END_ABORTED] <= losses.missed_events);
	assert_true(empty <= 2 * losses.missed_events);
	assert_no_cookie_twice(&trace);
	trace_stop(&trace);
	close(listener);
}

static void rows_and_losses_add_up_to_connections(void **state)
{
	struct tracer_counts losses;
	struct trace trace;
	uint16_t port;
	int listener = tcp_listen(0, &port);

	(void)state;
	trace_start(&trace, port, PAGE);
	for (unsigned int i = 0; i < CONNECTIONS; i++) {
		one_connection(listener, port, i);
		if (i % 500 == 0)
			assert_int_equal(tracer_drain(trace.tracer), 0);
	}
	assert_int_equal(tracer_finish(trace.tracer), 0);
	tracer_get_counts(trace.tracer, &losses);
	assert_int_equal(losses.map_full, 0);
	assert_true(losses.ring_full > 0);
	assert_true(trace.count > 20);
	assert_true(trace.count + losses.ring_full <= CONNECTIONS);
	assert_true(trace.count + losses.ring_full + losses.missed_events >= CONNECTIONS);
	assert_no_cookie_twice(&trace);
	trace_stop(&trace);
	close(listener);
}

static void without_a_port_both_ends_of_a_connection_count(void **state)
{
	uint64_t server_cookie, client_cookie;
	struct tcp_pair pair;
	struct trace trace;

	(void)state;
	trace_start(&trace, 0, 0);
	pair = tcp_pair_open();
	server_cookie = socket_cookie(pair.server);
	client_cookie = socket_cookie(pair.client);
	close(pair.server);
	close(pair.client);
	assert_non_null(trace_wait(&trace, server_cookie, 5));
	assert_non_null(trace_wait(&trace, client_cookie, 5));
	trace_stop(&trace);
}

static int run_group(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_connection_has_its_record),
		cmocka_unit_test(rows_and_losses_add_up_to_connections),
		cmocka_unit_test(without_a_port_both_ends_of_a_connection_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	return trace_run_tests(run_group);
}
