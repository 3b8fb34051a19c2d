/* SPDX-License-Identifier: MIT */
/*
 * Many connections: each is a record or a loss that was counted, and none is both. An event that
 * the kernel skipped, of whatever connection on that CPU, may cost a row or a field.
 */
#include "bpf/places.h"
#include "common/clock.h"
#include "tests/support/tcp.h"
#include "tests/support/trace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CONNECTIONS = 20000, WORKERS = 2, HELD = 64, PAGE = 4096 };

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

/* Processes that make and close their share of the connections, as fast as they can. */
struct churn {
	struct trace trace;
	pid_t workers[WORKERS];
	int listeners[WORKERS];
	uint16_t ports[WORKERS];
};

static void churn_start(struct churn *churn, size_t ring_bytes)
{
	struct tracer_options options = {
		.filter = { .ports = churn->ports, .port_count = WORKERS },
		.ring_bytes = ring_bytes,
		.all_close_calls = true,
	};

	for (int i = 0; i < WORKERS; i++)
		churn->listeners[i] = tcp_listen(0, &churn->ports[i]);
	trace_start_with(&churn->trace, &options);
	for (int i = 0; i < WORKERS; i++) {
		churn->workers[i] = fork();
		assert_true(churn->workers[i] >= 0);
		if (churn->workers[i])
			continue;
		for (unsigned int n = 0; n < CONNECTIONS / WORKERS; n++)
			one_connection(churn->listeners[i], churn->ports[i], n);
		_exit(0);
	}
}

static bool is_worker(const struct churn *churn, uint32_t pid)
{
	for (int i = 0; i < WORKERS; i++)
		if ((uint32_t)churn->workers[i] == pid)
			return true;
	return false;
}

/* Reads the records while they come, or only when all have. Then rows and losses are all there is. */
static struct tracer_counts churn_finish(struct churn *churn, bool reads_meanwhile)
{
	struct tracer_counts counts;
	int left = WORKERS, status;

	while (left) {
		if (reads_meanwhile)
			assert_int_equal(tracer_poll(churn->trace.tracer, 5), 0);
		else
			usleep(5000);
		while (left && waitpid(-1, &status, WNOHANG) > 0) {
			assert_int_equal(status, 0);
			left--;
		}
	}
	assert_int_equal(tracer_finish(churn->trace.tracer), 0);
	tracer_get_counts(churn->trace.tracer, &counts);
	assert_int_equal(churn->trace.count + counts.ring_full + counts.map_full, counts.followed);
	assert_int_equal(counts.map_full, 0);
	/* What it does not know of, events that were missed have kept from it. */
	assert_true(counts.followed <= CONNECTIONS);
	assert_true(counts.followed + counts.missed_events >= CONNECTIONS);
	assert_no_cookie_twice(&churn->trace);
	return counts;
}

static void churn_stop(struct churn *churn)
{
	trace_stop(&churn->trace);
	for (int i = 0; i < WORKERS; i++)
		close(churn->listeners[i]);
}

static void every_connection_has_its_record(void **state)
{
	size_t ends[CLOSE_END_OPEN + 1] = { 0 }, empty = 0;
	struct tracer_counts counts;
	struct churn churn;

	(void)state;
	churn_start(&churn, 0);
	counts = churn_finish(&churn, true);
	assert_int_equal(counts.ring_full, 0);
	for (size_t i = 0; i < churn.trace.count; i++) {
		const struct close_record *record = &churn.trace.records[i];

		if (record->flags & CLOSE_CALLED)
			assert_true(is_worker(&churn, record->closer.pid));
		empty += !(record->flags & CLOSE_CALLED) ||
			 (tracer_times_close_calls(churn.trace.tracer) &&
			  record->close_call_ns == CLOSE_TRACE_UNKNOWN);
		ends[record->end]++;
	}
	assert_true(ends[CLOSE_END_FIN] + counts.missed_events >= CONNECTIONS / 4);
	assert_true(ends[CLOSE_END_RESET_SENT] <= CONNECTIONS / 4);
	assert_true(ends[CLOSE_END_RESET_SENT] + counts.missed_events >= CONNECTIONS / 4);
	assert_true(ends[CLOSE_END_OPEN] + ends[CLOSE_END_ABORTED] <= counts.missed_events);
	assert_true(empty <= counts.missed_events);
	churn_stop(&churn);
}

static void rows_and_losses_add_up_to_connections(void **state)
{
	struct tracer_counts counts;
	struct churn churn;

	(void)state;
	churn_start(&churn, PAGE);
	counts = churn_finish(&churn, false);
	assert_true(counts.ring_full > CONNECTIONS / 2);
	assert_true(churn.trace.count > 10);
	churn_stop(&churn);
}

static pid_t churn_until_killed(int listener, uint16_t port)
{
	pid_t parent = getpid(), worker = fork();

	assert_true(worker >= 0);
	if (worker)
		return worker;
	for (unsigned int n = 0; getppid() == parent; n++)
		one_connection(listener, port, n % 2 ? 1 : 3);
	_exit(0);
}

/* Of those that close and are closed, or are reset by their server. */
static size_t count_wrong(const struct trace *trace)
{
	bool follows = tracer_follows_mini_sockets(trace->tracer);
	size_t count = 0;

	for (size_t i = 0; i < trace->count; i++) {
		const struct close_record *record = &trace->records[i];

		count += (record->end == CLOSE_END_UNKNOWN && follows) ||
			 record->end == CLOSE_END_ABORTED ||
			 record->flags & (CLOSE_INCOMPLETE | CLOSE_TIME_WAIT_OVERFLOW);
	}
	return count;
}

/* Programs are attached and taken off one by one: what happens meanwhile is told as it is, or not at all. */
static void a_trace_begins_and_ends_amid_connections(void **state)
{
	enum { TRACES = 6, TRACED_MS = 100 };
	struct tracer_counts counts;
	size_t rows = 0, missed = 0, wrong = 0;
	uint16_t port;
	int listener = tcp_listen(0, &port);
	pid_t worker = churn_until_killed(listener, port);

	(void)state;
	for (int i = 0; i < TRACES; i++) {
		struct tracer_options options = {
			.filter = { .ports = &port, .port_count = 1 },
			.time_wait = i % 2,
		};
		uint64_t until;
		struct trace trace;

		trace_start_with(&trace, &options);
		until = clock_now_ns() + TRACED_MS * NS_PER_MS;
		while (clock_now_ns() < until)
			assert_int_equal(tracer_poll(trace.tracer, 10), 0);
		assert_int_equal(tracer_finish(trace.tracer), 0);
		tracer_get_counts(trace.tracer, &counts);
		wrong += count_wrong(&trace);
		rows += trace.count;
		missed += counts.missed_events;
		trace_stop(&trace);
	}
	kill(worker, SIGKILL);
	assert_int_equal(waitpid(worker, NULL, 0), worker);
	close(listener);
	assert_true(rows > TRACES * TRACED_MS / 10);
	assert_true(wrong <= missed);
}

/* More than there are places: those that wait in them keep the others out, which go through the ring buffer. */
static void what_nobody_reads_yet_is_kept(void **state)
{
	struct tracer_counts counts;
	struct churn churn;

	(void)state;
	churn_start(&churn, 0);
	counts = churn_finish(&churn, false);
	assert_int_equal(counts.ring_full, 0);
	assert_true(churn.trace.count > PLACES);
	churn_stop(&churn);
}

/* Each CPU has cookies of its own, one after the other: no two connections of thousands have the same place. */
static void stay_on_this_cpu(void)
{
	cpu_set_t this_one;

	CPU_ZERO(&this_one);
	CPU_SET((size_t)sched_getcpu(), &this_one);
	if (sched_setaffinity(0, sizeof(this_one), &this_one))
		_exit(1);
}

/* Fewer than there are places: the ring buffer, which wakes for itself, stays empty. */
static void many_ends_wake_who_waits(void **state)
{
	const unsigned int connections = PLACES / 2, until_it_waits_us = 300000;
	const uint64_t patience_ms = 20000 * trace_slowness();
	uint64_t began;
	struct trace trace;
	uint16_t port;
	int listener, status;
	pid_t worker;

	(void)state;
	listener = tcp_listen(0, &port);
	trace_start(&trace, port, 0);
	worker = fork();
	assert_true(worker >= 0);
	if (!worker) {
		stay_on_this_cpu();
		usleep(until_it_waits_us);
		for (unsigned int i = 0; i < connections; i++)
			one_connection(listener, port, 0);
		_exit(0);
	}
	began = clock_now_ns();
	assert_int_equal(tracer_poll(trace.tracer, (int)patience_ms), 0);
	assert_true(clock_now_ns() - began < patience_ms / 2 * NS_PER_MS);
	assert_true(trace.count > 0);
	assert_int_equal(waitpid(worker, &status, 0), worker);
	assert_int_equal(status, 0);
	assert_int_equal(tracer_finish(trace.tracer), 0);
	assert_int_equal(trace.count, connections);
	trace_stop(&trace);
	close(listener);
}

/* How many of the short ones the place was taken for, by one that is held. */
static size_t displaced(const struct trace *trace, const uint64_t *held, size_t count)
{
	bool taken[PLACES] = { false };
	size_t sum = 0;

	for (size_t i = 0; i < count; i++)
		taken[held[i] % PLACES] = true;
	for (size_t i = 0; i < trace->count; i++)
		sum += taken[trace->records[i].cookie % PLACES];
	return sum - count;
}

static void those_that_outlast_thousands_keep_their_place(void **state)
{
	int listener, clients[HELD], servers[HELD];
	uint64_t cookies[HELD], began, opened, closed;
	struct trace trace;
	uint16_t port;

	(void)state;
	listener = tcp_listen(0, &port);
	trace_start(&trace, port, 0);
	began = clock_now_ns();
	for (int i = 0; i < HELD; i++) {
		clients[i] = tcp_connect(port);
		servers[i] = accept(listener, NULL, NULL);
		cookies[i] = socket_cookie(servers[i]);
	}
	opened = clock_now_ns();
	for (unsigned int i = 0; i < CONNECTIONS; i++) {
		one_connection(listener, port, 0);
		if (i % 100 == 0)
			assert_int_equal(tracer_poll(trace.tracer, 0), 0);
	}
	closed = clock_now_ns();
	/* The server first: a client that found no room for its TIME_WAIT would answer the server's FIN with an RST. */
	for (int i = 0; i < HELD; i++) {
		shutdown(servers[i], SHUT_WR);
		close(clients[i]);
		close(servers[i]);
	}
	for (int i = 0; i < HELD; i++) {
		const struct close_record *record = trace_wait(&trace, cookies[i], 5);

		assert_non_null(record);
		assert_in_range(record->established_ns, began, opened);
		assert_in_range(record->closed_ns, closed, clock_now_ns());
		assert_int_equal(record->end, CLOSE_END_FIN);
	}
	assert_int_equal(tracer_finish(trace.tracer), 0);
	assert_int_equal(trace.count, HELD + CONNECTIONS);
	assert_true(displaced(&trace, cookies, HELD) > 0);
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
		cmocka_unit_test(a_trace_begins_and_ends_amid_connections),
		cmocka_unit_test(what_nobody_reads_yet_is_kept),
		cmocka_unit_test(many_ends_wake_who_waits),
		cmocka_unit_test(those_that_outlast_thousands_keep_their_place),
		cmocka_unit_test(without_a_port_both_ends_of_a_connection_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	return trace_run_tests(run_group);
}
