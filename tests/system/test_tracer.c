/* SPDX-License-Identifier: MIT */
/*
 * What the tracer says of one connection, for each way to close it: real sockets on loopback, real
 * programs in the kernel.
 */
#include "tests/support/followed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"

static void half_close_then_fin_measures_fin_wait_2(void **state)
{
	const struct close_record *record;
	struct moment half_closed, peer_closed;
	uint64_t acked;
	struct followed f;
	struct in_addr here = { htonl(INADDR_LOOPBACK) };

	(void)state;
	followed_begin(&f);
	half_closed = shutdown_now(f.pair.server, SHUT_WR);
	acked = wait_fin_acked(f.pair.server);
	usleep(50000);
	peer_closed = close_peer_and_wait(&f);
	usleep(30000);
	close(f.pair.server);
	record = followed_wait(&f);
	assert_int_equal(record->end, CLOSE_END_FIN);
	assert_true(record->fin_wait_1_ns <= acked - half_closed.before);
	assert_lasted(half_closed_ns(record), half_closed, peer_closed);
	assert_int_equal(record->orphan_ns, 0);
	assert_unknown(record->time_wait_ns);
	assert_int_equal(record->unread_bytes, 0);
	assert_int_equal(record->unacked_bytes, 0);
	assert_closed_here(record);
	assert_int_equal(record->family, AF_INET);
	assert_int_equal(record->lport, f.pair.server_port);
	assert_memory_equal(record->laddr, &here, sizeof(here));
	assert_memory_equal(record->raddr, &here, sizeof(here));
	followed_end(&f);
}

static void close_before_the_peer_never_gives_a_false_fin_wait_2(void **state)
{
	const struct close_record *record;
	struct moment closed, peer_closed;
	struct followed f;

	(void)state;
	followed_begin(&f);
	closed = close_now(f.pair.server);
	usleep(300000);
	peer_closed = close_now(f.pair.client);
	record = followed_wait(&f);
	peer_closed.after = clock_now_ns();
	if (record->fin_wait_2_ns != CLOSE_TRACE_UNKNOWN) {
		assert_lasted(half_closed_ns(record), closed, peer_closed);
		assert_true(record->fin_wait_1_ns <= 250 * NS_PER_MS);
		assert_true(record->orphan_ns <= record->fin_wait_2_ns);
		assert_int_equal(record->end, CLOSE_END_FIN);
	} else {
		assert_true(record->flags & CLOSE_FIN_WAIT_2);
		assert_unknown(record->orphan_ns);
		assert_int_equal(record->end, CLOSE_END_UNKNOWN);
	}
	assert_closed_here(record);
	followed_end(&f);
}

static void half_close_then_close_before_the_peer(void **state)
{
	const struct close_record *record;
	struct moment half_closed, closed, peer_closed;
	struct followed f;

	(void)state;
	followed_begin(&f);
	half_closed = shutdown_now(f.pair.server, SHUT_WR);
	wait_fin_acked(f.pair.server);
	usleep(50000);
	closed = close_now(f.pair.server);
	usleep(100000);
	peer_closed = close_now(f.pair.client);
	record = followed_wait(&f);
	peer_closed.after = clock_now_ns();
	if (record->fin_wait_2_ns != CLOSE_TRACE_UNKNOWN) {
		assert_lasted(half_closed_ns(record), half_closed, peer_closed);
		assert_lasted(record->orphan_ns, closed, peer_closed);
	}
	assert_closed_here(record);
	followed_end(&f);
}

static void unread_bytes_make_the_close_a_reset(void **state)
{
	const struct close_record *record;
	struct followed f;

	(void)state;
	followed_begin(&f);
	send_bytes(f.pair.client, 12345);
	receive_bytes(f.pair.server, 345);
	usleep(20000);
	close(f.pair.server);
	record = followed_wait(&f);
	assert_int_equal(record->end, CLOSE_END_RESET_SENT);
	assert_int_equal(record->unread_bytes, 12000);
	assert_unknown(record->fin_wait_1_ns);
	assert_unknown(record->fin_wait_2_ns);
	assert_unknown(record->orphan_ns);
	assert_closed_here(record);
	close(f.pair.client);
	followed_end(&f);
}

static void unread_bytes_do_not_count_the_fin(void **state)
{
	const struct close_record *record;
	struct followed f;

	(void)state;
	followed_begin(&f);
	send_bytes(f.pair.client, 1000);
	close(f.pair.client);
	usleep(20000);
	close(f.pair.server);
	record = followed_wait(&f);
	assert_int_equal(record->end, CLOSE_END_RESET_SENT);
	assert_int_equal(record->unread_bytes, 1000);
	followed_end(&f);
}

static void zero_linger_resets(void **state)
{
	const struct close_record *record;
	struct followed f;

	(void)state;
	followed_begin(&f);
	set_linger(f.pair.server, 0);
	close(f.pair.server);
	record = followed_wait(&f);
	assert_int_equal(record->end, CLOSE_END_RESET_SENT);
	assert_int_equal(record->unread_bytes, 0);
	assert_closed_here(record);
	close(f.pair.client);
	followed_end(&f);
}

static void reset_by_the_peer(void **state)
{
	const struct close_record *record;
	struct followed f;

	(void)state;
	followed_begin(&f);
	set_linger(f.pair.client, 0);
	close(f.pair.client);
	usleep(20000);
	close(f.pair.server);
	record = followed_wait(&f);
	assert_int_equal(record->end, CLOSE_END_RESET_RECEIVED);
	assert_unknown(record->fin_wait_2_ns);
	assert_closed_here(record);
	followed_end(&f);
}

static void reset_by_the_peer_during_fin_wait_2(void **state)
{
	const struct close_record *record;
	struct moment half_closed, peer_closed;
	struct followed f;

	(void)state;
	followed_begin(&f);
	half_closed = shutdown_now(f.pair.server, SHUT_WR);
	usleep(50000);
	set_linger(f.pair.client, 0);
	peer_closed = close_peer_and_wait(&f);
	close(f.pair.server);
	record = followed_wait(&f);
	assert_int_equal(record->end, CLOSE_END_RESET_RECEIVED);
	assert_lasted(half_closed_ns(record), half_closed, peer_closed);
	followed_end(&f);
}

/* The client's window is full: nothing but the tail of the response, and then our FIN, waits. */
static void fill_until_unacked(struct followed *f, size_t bytes)
{
	int size = 4096;

	assert_int_equal(setsockopt(f->pair.client, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)), 0);
	for (size_t sent = 0; sent < bytes; sent += 50000)
		send_bytes(f->pair.server, 50000);
	usleep(20000);
}

static void unacked_bytes_are_the_tail_at_risk(void **state)
{
	const struct close_record *record;
	struct followed f;
	int received;

	(void)state;
	followed_begin(&f);
	fill_until_unacked(&f, 500000);
	assert_int_equal(ioctl(f.pair.client, FIONREAD, &received), 0);
	assert_in_range(received, 1, 499999);
	shutdown(f.pair.server, SHUT_WR);
	close(f.pair.server);
	set_linger(f.pair.client, 0);
	close(f.pair.client);
	record = followed_wait(&f);
	assert_int_equal(record->unacked_bytes, 500000 - received);
	assert_int_equal(record->end, CLOSE_END_RESET_RECEIVED);
	assert_unknown(record->fin_wait_2_ns);
	assert_closed_here(record);
	followed_end(&f);
}

/* The kernel reports a reset received, the destruction and then the reset that it sends. */
static void data_after_close_are_a_reset_of_our_own(void **state)
{
	const struct close_record *record;
	struct followed f;

	(void)state;
	followed_begin(&f);
	fill_until_unacked(&f, 500000);
	close(f.pair.server);
	send_bytes(f.pair.client, 100);
	record = followed_wait(&f);
	assert_int_equal(record->end, CLOSE_END_RESET_SENT);
	assert_true(record->flags & CLOSE_RESET_RECEIVED);
	assert_unknown(record->fin_wait_2_ns);
	assert_int_equal(record->unread_bytes, 0);
	close(f.pair.client);
	followed_end(&f);
}

static void the_peer_closes_first(void **state)
{
	const struct close_record *record;
	struct followed f;

	(void)state;
	followed_begin(&f);
	close(f.pair.client);
	usleep(50000);
	close(f.pair.server);
	record = followed_wait(&f);
	assert_int_equal(record->end, CLOSE_END_FIN);
	assert_unknown(record->fin_wait_1_ns);
	assert_false(record->flags & CLOSE_FIN_WAIT_2);
	assert_unknown(record->fin_wait_2_ns);
	assert_unknown(record->orphan_ns);
	assert_closed_here(record);
	followed_end(&f);
}

static void lingering_close_blocks_and_says_so(void **state)
{
	const struct close_record *record;
	struct moment closed;
	struct followed f;

	(void)state;
	followed_begin(&f);
	fill_until_unacked(&f, 500000);
	set_linger(f.pair.server, 1);
	closed = close_now(f.pair.server);
	close(f.pair.client);
	record = followed_wait(&f);
	if (followed_times_close_calls)
		assert_in_range(record->close_call_ns, 990 * NS_PER_MS,
				closed.after - closed.before);
	assert_true(record->unacked_bytes > 1000);
	assert_int_equal(record->closer.pid, getpid());
	followed_end(&f);
}

/*
 * Ends with its listening socket, and nobody has accepted it. This is no packet's doing, and the socket is not owned
 * either: what TCP remembers of the clock is the time of the last packet, long ago.
 */
static void unaccepted_one_ends_with_its_listener(bool client_closes, unsigned int idle_ms)
{
	uint64_t began = clock_now_ns(), closing;
	struct trace trace;
	uint16_t port;
	int listener = tcp_listen(0, &port), client;

	trace_start(&trace, port, 0);
	client = tcp_connect(port);
	if (client_closes) {
		shutdown(client, SHUT_WR);
		wait_fin_acked(client);
	}
	usleep(idle_ms * 1000);
	closing = clock_now_ns();
	close(listener);
	while (!trace.count && clock_now_ns() - closing < 10 * NS_PER_S)
		assert_int_equal(tracer_poll(trace.tracer, 5), 0);
	assert_int_equal(trace.count, 1);
	assert_in_range(trace.records[0].ended_ns, closing, clock_now_ns());
	if (client_closes)
		assert_in_range(trace.records[0].close_wait_ns, idle_ms * NS_PER_MS,
				clock_now_ns() - began);
	trace_stop(&trace);
	close(client);
}

static void nobody_accepts(void **state)
{
	(void)state;
	unaccepted_one_ends_with_its_listener(false, 300);
	unaccepted_one_ends_with_its_listener(true, 300);
}

static int run_group(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(half_close_then_fin_measures_fin_wait_2),
		cmocka_unit_test(close_before_the_peer_never_gives_a_false_fin_wait_2),
		cmocka_unit_test(half_close_then_close_before_the_peer),
		cmocka_unit_test(unread_bytes_make_the_close_a_reset),
		cmocka_unit_test(unread_bytes_do_not_count_the_fin),
		cmocka_unit_test(zero_linger_resets),
		cmocka_unit_test(reset_by_the_peer),
		cmocka_unit_test(reset_by_the_peer_during_fin_wait_2),
		cmocka_unit_test(unacked_bytes_are_the_tail_at_risk),
		cmocka_unit_test(data_after_close_are_a_reset_of_our_own),
		cmocka_unit_test(the_peer_closes_first),
		cmocka_unit_test(lingering_close_blocks_and_says_so),
		cmocka_unit_test(nobody_accepts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	return trace_run_tests(run_group);
}
