/* SPDX-License-Identifier: MIT */
/*
 * The tracer against a packet capture of the same connections: for every way to close one, the end and the
 * durations must be what went over the wire.
 */
#include "tests/support/capture.h"
#include "tests/support/tcp.h"
#include "tests/support/trace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"

enum { AT_ONCE = 12, MEASURED_MAX = 1024 };

/* The bounds of a machine that is not emulated. */
static const uint64_t DISTANCE_MOST_NS = NS_PER_MS, MEDIAN_MOST_NS = 100 * NS_PER_US;

/* A connection whose server side is followed. */
struct subject {
	int client;
	int server;
	uint16_t client_port;
	uint64_t cookie;
};

static struct trace trace;
static struct capture *capture;
static int listener;
static uint16_t port;

/* How far fin_wait_2_ns was from the capture, in all tests. */
static uint64_t distances[MEASURED_MAX];
static size_t measured;

static int set_up(void **state)
{
	(void)state;
	listener = tcp_listen(0, &port);
	trace_start(&trace, port, 0);
	capture = capture_start(port);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	capture_stop(capture);
	trace_stop(&trace);
	return close(listener);
}

static void need_mini_sockets(void)
{
	if (tracer_follows_mini_sockets(trace.tracer))
		return;
	print_message("# SKIP mini-sockets are not followed here\n");
	skip();
}

static struct subject subject_open(void)
{
	struct subject subject = { .client = tcp_connect(port) };
	struct sockaddr_in address;
	socklen_t length = sizeof(address);

	subject.server = accept(listener, (struct sockaddr *)&address, &length);
	assert_true(subject.server >= 0);
	subject.client_port = ntohs(address.sin_port);
	subject.cookie = socket_cookie(subject.server);
	return subject;
}

static void pass_ms(unsigned int ms)
{
	uint64_t end = clock_now_ns() + ms * NS_PER_MS;

	do
		assert_int_equal(tracer_poll(trace.tracer, 1), 0);
	while (clock_now_ns() < end);
}

static void wait_state(int fd, int state)
{
	uint64_t deadline = clock_now_ns() + 10 * NS_PER_S;
	struct tcp_info info = { 0 };

	while (info.tcpi_state != state) {
		socklen_t length = sizeof(info);

		assert_true(clock_now_ns() < deadline);
		assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length), 0);
		usleep(200);
	}
}

static void set_linger2(int fd, int seconds)
{
	assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_LINGER2, &seconds, sizeof(seconds)), 0);
}

static void send_text(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* The peer has our FIN. */
static void expect_eof(int fd)
{
	char byte;

	assert_int_equal(recv(fd, &byte, 1, 0), 0);
}

static const struct close_record *record_of(const struct subject *subject)
{
	const struct close_record *record = trace_wait(&trace, subject->cookie, 10);

	assert_non_null(record);
	return record;
}

static uint64_t distance(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

static bool is_near(uint64_t measured_ns, uint64_t from, uint64_t to)
{
	return distance(measured_ns, to - from) <= DISTANCE_MOST_NS * trace_slowness();
}

/* Within 1 ms, each of them, and at the end half of them within 100 us. */
static void assert_fin_wait_2(const struct close_record *record, uint64_t from, uint64_t to)
{
	assert_true(from && to >= from);
	assert_true(record->fin_wait_2_ns != CLOSE_TRACE_UNKNOWN);
	assert_true(measured < MEASURED_MAX);
	distances[measured] = distance(record->fin_wait_2_ns, to - from);
	if (distances[measured] > DISTANCE_MOST_NS)
		print_message("# FIN_WAIT_2 %llu ns, in the capture %llu ns\n",
			      (unsigned long long)record->fin_wait_2_ns,
			      (unsigned long long)(to - from));
	assert_true(is_near(record->fin_wait_2_ns, from, to));
	measured++;
}

/* The process may be put aside between its change of state and the FIN that goes out for it. */
static bool is_near_with_process(uint64_t measured_ns, uint64_t from, uint64_t to)
{
	return distance(measured_ns, to - from) <= 100 * DISTANCE_MOST_NS * trace_slowness();
}

static int compare(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return a < b ? -1 : a > b;
}

static void the_median_is_near_the_capture(void **state)
{
	(void)state;
	if (!measured)
		skip();
	qsort(distances, measured, sizeof(distances[0]), compare);
	print_message("# %zu stays in FIN_WAIT_2 against the capture: median %.1f us off, at most "
		      "%.1f us\n",
		      measured, (double)distances[measured / 2] / NS_PER_US,
		      (double)distances[measured - 1] / NS_PER_US);
	assert_true(distances[measured / 2] <= MEDIAN_MOST_NS * trace_slowness());
}

static void assert_no_reset(const struct close_record *record, const struct wire *wire)
{
	assert_false(record->flags & (CLOSE_RESET_SENT | CLOSE_RESET_RECEIVED));
	assert_int_equal(wire->reset_sent_at, 0);
	assert_int_equal(wire->reset_received_at, 0);
}

static void assert_ended_by_fin(const struct subject *subject)
{
	const struct close_record *record = record_of(subject);
	struct wire wire = capture_of(capture, subject->client_port);

	assert_int_equal(record->end, CLOSE_END_FIN);
	assert_false(record->flags & CLOSE_INCOMPLETE);
	assert_no_reset(record, &wire);
	assert_fin_wait_2(record, wire.fin_acked_at, wire.fin_received_at);
	assert_true(
		is_near_with_process(record->fin_wait_1_ns, wire.fin_sent_at, wire.fin_acked_at));
}

/* The server closes, and the peer does so after that time. Below 2 s, the mini-socket's timer stays in its
 * bucket of the timer wheel, and nothing is heard of it. */
static void the_peer_follows_after(unsigned int ms)
{
	struct subject subjects[AT_ONCE];

	need_mini_sockets();
	for (size_t i = 0; i < AT_ONCE; i++)
		subjects[i] = subject_open();
	for (size_t i = 0; i < AT_ONCE; i++)
		close(subjects[i].server);
	for (size_t i = 0; i < AT_ONCE; i++)
		expect_eof(subjects[i].client);
	if (ms)
		pass_ms(ms);
	for (size_t i = 0; i < AT_ONCE; i++)
		close(subjects[i].client);
	for (size_t i = 0; i < AT_ONCE; i++) {
		assert_ended_by_fin(&subjects[i]);
		assert_int_equal(record_of(&subjects[i])->closer.pid, getpid());
		assert_int_equal(record_of(&subjects[i])->half_closer.pid, 0);
		assert_true(record_of(&subjects[i])->orphan_ns <=
			    record_of(&subjects[i])->fin_wait_2_ns);
		assert_true(record_of(&subjects[i])->mini_socket_ns <=
			    record_of(&subjects[i])->orphan_ns);
	}
	assert_int_equal(trace.count, AT_ONCE);
}

static void the_peer_follows_at_once(void **state)
{
	(void)state;
	the_peer_follows_after(0);
}

static void the_peer_follows_after_5_ms(void **state)
{
	(void)state;
	the_peer_follows_after(5);
}

static void the_peer_follows_after_50_ms(void **state)
{
	(void)state;
	the_peer_follows_after(50);
}

static void the_peer_follows_after_300_ms(void **state)
{
	(void)state;
	the_peer_follows_after(300);
}

static void the_peer_follows_after_1500_ms(void **state)
{
	(void)state;
	the_peer_follows_after(1500);
}

static void the_peer_follows_after_3_s(void **state)
{
	(void)state;
	the_peer_follows_after(3000);
}

/* shutdown(), the peer's FIN, and only then close(). */
static void half_closed_until_the_peer_closes(void **state)
{
	struct subject subject = subject_open();
	const struct close_record *record;

	(void)state;
	shutdown(subject.server, SHUT_WR);
	expect_eof(subject.client);
	send_text(subject.client, "sent late, and read");
	pass_ms(80);
	close(subject.client);
	wait_state(subject.server, TCP_CLOSE);
	assert_int_equal(recv(subject.server, (char[64]){ 0 }, 64, 0), 19);
	close(subject.server);
	assert_ended_by_fin(&subject);
	record = record_of(&subject);
	assert_int_equal(record->drained_bytes, 19);
	assert_int_equal(record->unread_bytes, 0);
	assert_int_equal(record->orphan_ns, 0);
	assert_int_equal(record->half_closer.pid, getpid());
	assert_int_equal(record->half_closer.tid, gettid());
	assert_true(record->half_closed_ns < record->closed_ns);
}

static void fin_wait_2_runs_out(void **state)
{
	struct subject subject;
	const struct close_record *record;
	struct wire wire;

	(void)state;
	need_mini_sockets();
	subject = subject_open();
	set_linger2(subject.server, 2);
	shutdown(subject.server, SHUT_WR);
	wait_state(subject.server, TCP_FIN_WAIT2);
	close(subject.server);
	record = record_of(&subject);
	assert_int_equal(record->end, CLOSE_END_TIMEOUT);
	assert_in_range(record->orphan_ns, 1990 * NS_PER_MS, 2600 * NS_PER_MS);
	wire = capture_of(capture, subject.client_port);
	assert_no_reset(record, &wire);
	assert_int_equal(wire.fin_received_at, 0);
	/* The proof that it is over: what comes now belongs to nobody. */
	send_text(subject.client, "late");
	pass_ms(50);
	wire = capture_of(capture, subject.client_port);
	assert_true(wire.reset_sent_at);
	assert_true(record->fin_wait_2_ns <= wire.reset_sent_at - wire.fin_acked_at);
	close(subject.client);
}

/* Asked not to stay in FIN_WAIT_2, the kernel resets the connection at close(). */
static void linger2_below_0_resets(void **state)
{
	struct subject subject = subject_open();
	const struct close_record *record;
	struct wire wire;

	(void)state;
	set_linger2(subject.server, -1);
	shutdown(subject.server, SHUT_WR);
	wait_state(subject.server, TCP_FIN_WAIT2);
	pass_ms(30);
	close(subject.server);
	record = record_of(&subject);
	wire = capture_of(capture, subject.client_port);
	assert_int_equal(record->end, CLOSE_END_RESET_SENT);
	assert_true(record->flags & CLOSE_RESET_SENT);
	assert_false(record->flags & CLOSE_RESET_RECEIVED);
	assert_int_equal(wire.reset_received_at, 0);
	assert_fin_wait_2(record, wire.fin_acked_at, wire.reset_sent_at);
	close(subject.client);
}

static void drop_all_segments(int fd, bool drop)
{
	struct sock_filter code = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog program = { .len = 1, .filter = &code };
	int unused = 0;

	if (drop)
		assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program,
					    sizeof(program)),
				 0);
	else
		assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &unused,
					    sizeof(unused)),
				 0);
}

/* The FINs cross: ours does not reach the peer before it has sent its own. */
static void both_close_at_once(void **state)
{
	struct subject subject = subject_open();
	const struct close_record *record;
	struct wire wire;

	(void)state;
	drop_all_segments(subject.client, true);
	close(subject.server);
	pass_ms(20);
	shutdown(subject.client, SHUT_WR);
	drop_all_segments(subject.client, false);
	expect_eof(subject.client); /* ours, sent once more */
	close(subject.client);
	record = record_of(&subject);
	wire = capture_of(capture, subject.client_port);
	assert_int_equal(record->end, CLOSE_END_FIN);
	assert_no_reset(record, &wire);
	assert_false(record->flags & CLOSE_FIN_WAIT_2);
	assert_true(record->fin_wait_2_ns == CLOSE_TRACE_UNKNOWN);
	assert_true(wire.fin_sent_at < wire.fin_received_at);
	assert_true(wire.fin_received_at < wire.fin_acked_at);
	assert_true(is_near_with_process(record->fin_wait_1_ns, wire.fin_sent_at,
					 wire.fin_received_at));
	assert_true(is_near(record->closing_ns, wire.fin_received_at, wire.fin_acked_at));
}

static void closed_with_unread_bytes(void **state)
{
	struct subject subject = subject_open();
	const struct close_record *record;
	struct wire wire;

	(void)state;
	send_text(subject.client, "never read");
	pass_ms(20);
	close(subject.server);
	record = record_of(&subject);
	wire = capture_of(capture, subject.client_port);
	assert_int_equal(record->end, CLOSE_END_RESET_SENT);
	assert_int_equal(record->unread_bytes, 10);
	assert_int_equal(wire.fin_sent_at, 0);
	assert_true(wire.reset_sent_at);
	assert_false(record->flags & (CLOSE_FIN_SENT | CLOSE_FIN_WAIT_2));
	assert_true(record->drained_bytes == CLOSE_TRACE_UNKNOWN); /* after no FIN */
	close(subject.client);
}

/* The kernel tells of an RST received, though none was. */
static const struct close_record *data_after_close(int linger2)
{
	struct subject subject = subject_open();
	const struct close_record *record;
	struct wire wire;

	if (linger2)
		set_linger2(subject.server, linger2);
	close(subject.server);
	expect_eof(subject.client);
	pass_ms(120);
	send_text(subject.client, "late");
	record = record_of(&subject);
	wire = capture_of(capture, subject.client_port);
	assert_int_equal(record->end, CLOSE_END_RESET_SENT);
	assert_true(wire.reset_sent_at);
	assert_int_equal(wire.reset_received_at, 0);
	assert_fin_wait_2(record, wire.fin_acked_at, wire.reset_sent_at);
	close(subject.client);
	return record;
}

static void data_on_a_full_orphan(void **state)
{
	(void)state;
	/* A whole socket for the 10 s above a minute. */
	assert_int_equal(data_after_close(70)->mini_socket_ns, 0);
}

static void data_on_a_mini_socket(void **state)
{
	const struct close_record *record;

	(void)state;
	need_mini_sockets();
	record = data_after_close(0);
	assert_true(record->mini_socket_ns <= record->orphan_ns);
	assert_true(record->mini_socket_ns >= record->orphan_ns - 50 * NS_PER_MS);
}

static void the_peer_resets_a_mini_socket(void **state)
{
	struct linger reset = { .l_onoff = 1 };
	struct subject subject;
	const struct close_record *record;
	struct wire wire;

	(void)state;
	need_mini_sockets();
	subject = subject_open();
	close(subject.server);
	expect_eof(subject.client);
	pass_ms(120);
	setsockopt(subject.client, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(subject.client);
	record = record_of(&subject);
	wire = capture_of(capture, subject.client_port);
	assert_int_equal(record->end, CLOSE_END_RESET_RECEIVED);
	assert_false(record->flags & CLOSE_RESET_SENT);
	assert_int_equal(wire.reset_sent_at, 0);
	assert_fin_wait_2(record, wire.fin_acked_at, wire.reset_received_at);
}

/* Another process drains and closes what this one half-closed. */
static void handed_to_another_process(void **state)
{
	struct subject subject = subject_open();
	const struct close_record *record;
	char buffer[64];
	pid_t child;

	(void)state;
	shutdown(subject.server, SHUT_WR);
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		close(subject.client);
		while (recv(subject.server, buffer, sizeof(buffer), 0) > 0)
			;
		close(subject.server);
		_exit(0);
	}
	close(subject.server);
	expect_eof(subject.client);
	pass_ms(40);
	send_text(subject.client, "the rest");
	pass_ms(40);
	close(subject.client);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_ended_by_fin(&subject);
	record = record_of(&subject);
	assert_int_equal(record->half_closer.pid, getpid());
	assert_int_equal(record->closer.pid, child);
	assert_int_equal(record->drained_bytes, 8);
}

/* The side that closes last has CLOSE_WAIT and LAST_ACK. */
static void the_peer_closes_first(void **state)
{
	struct subject subject = subject_open();
	const struct close_record *record;
	struct wire wire;

	(void)state;
	close(subject.client);
	expect_eof(subject.server);
	pass_ms(60);
	close(subject.server);
	record = record_of(&subject);
	wire = capture_of(capture, subject.client_port);
	assert_int_equal(record->end, CLOSE_END_FIN);
	assert_no_reset(record, &wire);
	assert_false(record->flags & CLOSE_FIN_WAIT_2);
	if (!is_near_with_process(record->close_wait_ns, wire.fin_received_at, wire.fin_sent_at))
		print_message("# CLOSE_WAIT %llu ns, received %llu, sent %llu\n",
			      (unsigned long long)record->close_wait_ns,
			      (unsigned long long)wire.fin_received_at,
			      (unsigned long long)wire.fin_sent_at);
	assert_true(is_near_with_process(record->close_wait_ns, wire.fin_received_at,
					 wire.fin_sent_at));
	assert_true(is_near_with_process(record->last_ack_ns, wire.fin_sent_at, wire.fin_acked_at));
}

static int run_group(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(the_peer_follows_at_once),
		TEST(the_peer_follows_after_5_ms),
		TEST(the_peer_follows_after_50_ms),
		TEST(the_peer_follows_after_300_ms),
		TEST(the_peer_follows_after_1500_ms),
		TEST(the_peer_follows_after_3_s),
		TEST(half_closed_until_the_peer_closes),
		TEST(fin_wait_2_runs_out),
		TEST(linger2_below_0_resets),
		TEST(both_close_at_once),
		TEST(closed_with_unread_bytes),
		TEST(data_on_a_full_orphan),
		TEST(data_on_a_mini_socket),
		TEST(the_peer_resets_a_mini_socket),
		TEST(handed_to_another_process),
		TEST(the_peer_closes_first),
		cmocka_unit_test(the_median_is_near_the_capture),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	return trace_run_tests(run_group);
}
