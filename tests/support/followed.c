/* SPDX-License-Identifier: MIT */
#include "tests/support/followed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"

bool followed_times_close_calls;

void followed_begin(struct followed *followed)
{
	followed->listener = tcp_listen(0, &followed->pair.server_port);
	trace_start(&followed->trace, followed->pair.server_port, 0);
	followed_times_close_calls = tracer_times_close_calls(followed->trace.tracer);
	followed->pair.client = tcp_connect(followed->pair.server_port);
	followed->pair.server = accept(followed->listener, NULL, NULL);
	assert_true(followed->pair.server >= 0);
	followed->cookie = socket_cookie(followed->pair.server);
}

const struct close_record *followed_wait(struct followed *followed)
{
	const struct close_record *record = trace_wait(&followed->trace, followed->cookie, 5);

	assert_non_null(record);
	assert_int_equal(followed->trace.count, 1);
	return record;
}

void followed_end(struct followed *followed)
{
	struct tracer_counts losses;

	tracer_get_counts(followed->trace.tracer, &losses);
	assert_int_equal(losses.ring_full + losses.map_full, 0);
	trace_stop(&followed->trace);
	close(followed->listener);
}

void send_bytes(int fd, size_t bytes)
{
	static const char content[64 * 1024];

	assert_true(bytes <= sizeof(content));
	assert_int_equal(send(fd, content, bytes, MSG_NOSIGNAL), bytes);
}

void receive_bytes(int fd, size_t bytes)
{
	static char content[64 * 1024];

	assert_true(bytes <= sizeof(content));
	assert_int_equal(recv(fd, content, bytes, MSG_WAITALL), bytes);
}

void set_linger(int fd, int seconds)
{
	struct linger linger = { .l_onoff = 1, .l_linger = seconds };

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
}

uint64_t half_closed_ns(const struct close_record *record)
{
	assert_true(record->fin_wait_1_ns != CLOSE_TRACE_UNKNOWN);
	assert_true(record->fin_wait_2_ns != CLOSE_TRACE_UNKNOWN);
	assert_true(record->flags & CLOSE_FIN_WAIT_2);
	return record->fin_wait_1_ns + record->fin_wait_2_ns;
}

struct moment shutdown_now(int fd, int how)
{
	struct moment moment = { .before = clock_now_ns() };

	assert_int_equal(shutdown(fd, how), 0);
	moment.after = clock_now_ns();
	return moment;
}

struct moment close_now(int fd)
{
	struct moment moment = { .before = clock_now_ns() };

	assert_int_equal(close(fd), 0);
	moment.after = clock_now_ns();
	return moment;
}

uint64_t wait_fin_acked(int fd)
{
	uint64_t deadline = clock_now_ns() + 5 * NS_PER_S;
	struct tcp_info info = { 0 };

	while (info.tcpi_state != TCP_FIN_WAIT2) {
		socklen_t length = sizeof(info);

		assert_true(clock_now_ns() < deadline);
		assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length), 0);
		usleep(100);
	}
	return clock_now_ns();
}

struct moment close_peer_and_wait(const struct followed *followed)
{
	struct moment moment = close_now(followed->pair.client);
	char byte;

	assert_true(recv(followed->pair.server, &byte, 1, 0) <= 0);
	moment.after = clock_now_ns();
	return moment;
}

void assert_lasted(uint64_t ns, struct moment from, struct moment to)
{
	assert_true(ns != CLOSE_TRACE_UNKNOWN);
	assert_in_range(ns, to.before - from.after, to.after - from.before);
}

void assert_closed_here(const struct close_record *record)
{
	char name[16];

	assert_int_equal(record->closer.pid, getpid());
	prctl(PR_GET_NAME, name);
	assert_string_equal(record->closer.comm, name);
	assert_int_equal(record->close_call_ns != CLOSE_TRACE_UNKNOWN, followed_times_close_calls);
	assert_known(record->unread_bytes);
	assert_known(record->unacked_bytes);
}
