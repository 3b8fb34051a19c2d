/* SPDX-License-Identifier: MIT */
/*
 * What the tracer says of one connection, for each way to close it: real sockets on loopback, real
 * programs in the kernel.
 */
#include "tests/support/tcp.h"
#include "tests/support/trace.h"

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

/* One connection whose accepted side is followed. */
struct followed {
	struct trace trace;
	struct tcp_pair pair;
	uint64_t cookie;
	int listener;
};

static void begin(struct followed *followed)
{
	followed->listener = tcp_listen(0, &followed->pair.server_port);
	trace_start(&followed->trace, followed->pair.server_port, 0);
	followed->pair.client = tcp_connect(followed->pair.server_port);
	followed->pair.server = accept(followed->listener, NULL, NULL);
	assert_true(followed->pair.server >= 0);
	followed->cookie = socket_cookie(followed->pair.server);
}

static const struct close_record *wait_record(struct followed *followed)
{
	const struct close_record *record = trace_wait(&followed->trace, followed->cookie, 5);

	assert_non_null(record);
	assert_int_equal(followed->trace.count, 1);
	return record;
}

static void end(struct followed *followed)
{
	struct tracer_counts losses;

	tracer_get_counts(followed->trace.tracer, &losses);
	assert_int_equal(losses.ring_full + losses.map_full, 0);
	trace_stop(&followed->trace);
	close(followed->listener);
}

static void send_bytes(int fd, size_t bytes)
{
	static const char content[64 * 1024];

	assert_true(bytes <= sizeof(content));
	assert_int_equal(send(fd, content, bytes, MSG_NOSIGNAL), bytes);
}

static void receive_bytes(int fd, size_t bytes)
{
	static char content[64 * 1024];

	assert_true(bytes <= sizeof(content));
	assert_int_equal(recv(fd, content, bytes, MSG_WAITALL), bytes);
}

static void set_linger(int fd, int seconds)
{
	struct linger linger = { .l_onoff = 1, .l_linger = seconds };

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
}

/* The peer's kernel may delay the acknowledgement of the FIN: a test knows the two states' sum. */
static uint64_t half_closed_ns(const struct close_record *record)
{
	assert_true(record->fin_wait_1_ns != CLOSE_TRACE_UNKNOWN);
	assert_true(record->fin_wait_2_ns != CLOSE_TRACE_UNKNOWN);
	assert_true(record->flags & CLOSE_FIN_WAIT_2);
	return record->fin_wait_1_ns + record->fin_wait_2_ns;
}

/* When a call of the test was made, as nearly as the test can tell. */
struct moment {
	uint64_t before;
	uint64_t after;
};

static struct moment shutdown_now(int fd, int how)
{
	struct moment moment = { .before = clock_now_ns() };

	assert_int_equal(shutdown(fd, how), 0);
	moment.after = clock_now_ns();
	return moment;
}

static struct moment close_now(int fd)
{
	struct moment moment = { .before = clock_now_ns() };

	assert_int_equal(close(fd), 0);
	moment.after = clock_now_ns();
	return moment;
}

/* A packet may wait for ksoftirqd on a busy machine: until its effect is seen here. */
static uint64_t wait_fin_acked(int fd)
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

static struct moment close_peer_and_wait(const struct followed *followed)
{
	struct moment moment = close_now(followed->pair.client);
	char byte;

	assert_true(recv(followed->pair.server, &byte, 1, 0) <= 0);
	moment.after = clock_now_ns();
	return moment;
}

static void assert_lasted(uint64_t ns, struct moment from, struct moment to)
{
	assert_true(ns != CLOSE_TRACE_UNKNOWN);
	assert_in_range(ns, to.before - from.after, to.after - from.before);
}

#define assert_unknown(value) assert_true((value) == CLOSE_TRACE_UNKNOWN)
#define assert_known(value)   assert_true((value) != CLOSE_TRACE_UNKNOWN)

static void assert_closed_here(const struct close_record *record)
{
	assert_int_equal(record->closer.pid, getpid());
	assert_string_equal(record->closer.comm, "test_tracer");
	assert_known(record->close_call_ns);
	assert_known(record->unread_bytes);
	assert_known(record->unacked_bytes);
}

static void half_close_then_fin_measures_fin_wait_2(void **state)
{
	const struct close_record *record;
	struct moment half_closed, peer_closed;
	uint64_t acked;
	struct followed f;
	struct in_addr here = { htonl(INADDR_LOOPBACK) };

	(void)state;
	begin(&f);
	half_closed = shutdown_now(f.pair.server, SHUT_WR);
	acked = wait_fin_acked(f.pair.server);
	usleep(50000);
	peer_closed = close_peer_and_wait(&f);
	usleep(30000);
	close(f.pair.server);
	record = wait_record(&f);
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
	end(&f);
}

static void close_before_the_peer_never_gives_a_false_fin_wait_2(void **state)
{
	const struct close_record *record;
	struct moment closed, peer_closed;
	struct followed f;

	(void)state;
	begin(&f);
	closed = close_now(f.pair.server);
	usleep(300000);
	peer_closed = close_now(f.pair.client);
	record = wait_record(&f);
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
	end(&f);
}

static void half_close_then_close_before_the_peer(void **state)
{
	const struct close_record *record;
	struct moment half_closed, closed, peer_closed;
	struct followed f;

	(void)state;
	begin(&f);
	half_closed = shutdown_now(f.pair.server, SHUT_WR);
	wait_fin_acked(f.pair.server);
	usleep(50000);
	closed = close_now(f.pair.server);
	usleep(100000);
	peer_closed = close_now(f.pair.client);
	record = wait_record(&f);
	peer_closed.after = clock_now_ns();
	if (record->fin_wait_2_ns != CLOSE_TRACE_UNKNOWN) {
		assert_lasted(half_closed_ns(record), half_closed, peer_closed);
		assert_lasted(record->orphan_ns, closed, peer_closed);
	}
	assert_closed_here(record);
	end(&f);
}

static void unread_bytes_make_the_close_a_reset(void **state)
{
	const struct close_record *record;
	struct followed f;

	(void)state;
	begin(&f);
	send_bytes(f.pair.client, 12345);
	receive_bytes(f.pair.server, 345);
	usleep(20000);
	close(f.pair.server);
	record = wait_record(&f);
	assert_int_equal(record->end, CLOSE_END_RESET_SENT);
	assert_int_equal(record->unread_bytes, 12000);
	assert_unknown(record->fin_wait_1_ns);
	assert_unknown(record->fin_wait_2_ns);
	assert_unknown(record->orphan_ns);
	assert_closed_here(record);
	close(f.pair.client);
	end(&f);
}

static void unread_bytes_do_not_count_the_fin(void **state)
{
	const struct close_record *record;
	struct followed f;

	(void)state;
	begin(&f);
	send_bytes(f.pair.client, 1000);
	close(f.pair.client);
	usleep(20000);
	close(f.pair.server);
	record = wait_record(&f);
	assert_int_equal(record->end, CLOSE_END_RESET_SENT);
	assert_int_equal(record->unread_bytes, 1000);
	end(&f);
}

static void zero_linger_resets(void **state)
{
	const struct close_record *record;
	struct followed f;

	(void)state;
	begin(&f);
	set_linger(f.pair.server, 0);
	close(f.pair.server);
	record = wait_record(&f);
	assert_int_equal(record->end, CLOSE_END_RESET_SENT);
	assert_int_equal(record->unread_bytes, 0);
	assert_closed_here(record);
	close(f.pair.client);
	end(&f);
}

static void reset_by_the_peer(void **state)
{
	const struct close_record *record;
	struct followed f;

	(void)state;
	begin(&f);
	set_linger(f.pair.client, 0);
	close(f.pair.client);
	usleep(20000);
	close(f.pair.server);
	record = wait_record(&f);
	assert_int_equal(record->end, CLOSE_END_RESET_RECEIVED);
	assert_unknown(record->fin_wait_2_ns);
	assert_closed_here(record);
	end(&f);
}

static void reset_by_the_peer_during_fin_wait_2(void **state)
{
	const struct close_record *record;
	struct moment half_closed, peer_closed;
	struct followed f;

	(void)state;
	begin(&f);
	half_closed = shutdown_now(f.pair.server, SHUT_WR);
	usleep(50000);
	set_linger(f.pair.client, 0);
	peer_closed = close_peer_and_wait(&f);
	close(f.pair.server);
	record = wait_record(&f);
	assert_int_equal(record->end, CLOSE_END_RESET_RECEIVED);
	assert_lasted(half_closed_ns(record), half_closed, peer_closed);
	end(&f);
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
	begin(&f);
	fill_until_unacked(&f, 500000);
	assert_int_equal(ioctl(f.pair.client, FIONREAD, &received), 0);
	assert_in_range(received, 1, 499999);
	shutdown(f.pair.server, SHUT_WR);
	close(f.pair.server);
	set_linger(f.pair.client, 0);
	close(f.pair.client);
	record = wait_record(&f);
	assert_int_equal(record->unacked_bytes, 500000 - received);
	assert_int_equal(record->end, CLOSE_END_RESET_RECEIVED);
	assert_unknown(record->fin_wait_2_ns);
	assert_closed_here(record);
	end(&f);
}

/* The kernel reports a reset received, the destruction and then the reset that it sends. */
static void data_after_close_are_a_reset_of_our_own(void **state)
{
	const struct close_record *record;
	struct followed f;

	(void)state;
	begin(&f);
	fill_until_unacked(&f, 500000);
	close(f.pair.server);
	send_bytes(f.pair.client, 100);
	record = wait_record(&f);
	assert_int_equal(record->end, CLOSE_END_RESET_SENT);
	assert_true(record->flags & CLOSE_RESET_RECEIVED);
	assert_unknown(record->fin_wait_2_ns);
	assert_int_equal(record->unread_bytes, 0);
	close(f.pair.client);
	end(&f);
}

static void the_peer_closes_first(void **state)
{
	const struct close_record *record;
	struct followed f;

	(void)state;
	begin(&f);
	close(f.pair.client);
	usleep(50000);
	close(f.pair.server);
	record = wait_record(&f);
	assert_int_equal(record->end, CLOSE_END_FIN);
	assert_unknown(record->fin_wait_1_ns);
	assert_false(record->flags & CLOSE_FIN_WAIT_2);
	assert_unknown(record->fin_wait_2_ns);
	assert_unknown(record->orphan_ns);
	assert_closed_here(record);
	end(&f);
}

static void lingering_close_blocks_and_says_so(void **state)
{
	const struct close_record *record;
	struct moment closed;
	struct followed f;

	(void)state;
	begin(&f);
	fill_until_unacked(&f, 500000);
	set_linger(f.pair.server, 1);
	closed = close_now(f.pair.server);
	close(f.pair.client);
	record = wait_record(&f);
	assert_in_range(record->close_call_ns, 990 * NS_PER_MS, closed.after - closed.before);
	assert_true(record->unacked_bytes > 1000);
	assert_int_equal(record->closer.pid, getpid());
	end(&f);
}

/* shutdown(SHUT_RDWR) looks like close() to the state machine. */
static void the_closer_is_who_closes_not_who_shuts_down(void **state)
{
	const struct close_record *record;
	struct followed f;
	pid_t child;

	(void)state;
	begin(&f);
	child = fork();
	if (!child) {
		shutdown(f.pair.server, SHUT_RDWR);
		_exit(0);
	}
	assert_int_equal(waitpid(child, NULL, 0), child);
	usleep(20000);
	close(f.pair.client);
	usleep(20000);
	close(f.pair.server);
	record = wait_record(&f);
	assert_int_equal(record->end, CLOSE_END_FIN);
	assert_true(half_closed_ns(record) >= 20 * NS_PER_MS);
	assert_closed_here(record);
	end(&f);
}

static void upload_and_close(uint16_t port, unsigned int connections)
{
	for (unsigned int i = 0; i < connections; i++) {
		int client = tcp_connect(port);

		for (size_t sent = 0; sent < 300000; sent += 50000)
			send_bytes(client, 50000);
		close(client);
	}
}

/* The FIN may come while recv() holds the lock: then it is recv() that ends the connection. */
static void the_fin_in_a_recv_is_no_close(void **state)
{
	enum { COUNT = 500 };
	static char content[64 * 1024];
	struct tracer_counts losses;
	struct trace trace;
	size_t empty = 0;
	uint16_t port;
	int listener = tcp_listen(0, &port);
	pid_t child;

	(void)state;
	trace_start(&trace, port, 0);
	child = fork();
	if (!child) {
		upload_and_close(port, COUNT);
		_exit(0);
	}
	for (unsigned int i = 0; i < COUNT; i++) {
		const struct close_record *record;
		int server = accept(listener, NULL, NULL);
		uint64_t cookie = socket_cookie(server);
		struct moment closed;

		shutdown(server, SHUT_WR);
		while (recv(server, content, sizeof(content), 0) > 0)
			;
		closed = close_now(server);
		record = trace_wait(&trace, cookie, 5);
		if (!record || record->unread_bytes == CLOSE_TRACE_UNKNOWN ||
		    record->close_call_ns == CLOSE_TRACE_UNKNOWN) {
			empty++;
			continue;
		}
		assert_int_equal(record->end, CLOSE_END_FIN);
		assert_int_equal(record->unread_bytes, 0);
		assert_in_range(record->closed_ns, closed.before, closed.after);
		assert_closed_here(record);
	}
	assert_int_equal(waitpid(child, NULL, 0), child);
	tracer_get_counts(trace.tracer, &losses);
	assert_true(empty <= losses.missed_events);
	trace_stop(&trace);
	close(listener);
}

static void send_fd(int channel, int fd)
{
	char control[CMSG_SPACE(sizeof(fd))] = { 0 };
	char nothing = 0;
	struct iovec byte = { .iov_base = &nothing, .iov_len = 1 };
	struct msghdr message = { .msg_iov = &byte,
				  .msg_iovlen = 1,
				  .msg_control = control,
				  .msg_controllen = sizeof(control) };
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	assert_int_equal(sendmsg(channel, &message, 0), 1);
}

static int receive_fd(int channel)
{
	char control[CMSG_SPACE(sizeof(int))];
	char byte;
	struct iovec vector = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = { .msg_iov = &vector,
				  .msg_iovlen = 1,
				  .msg_control = control,
				  .msg_controllen = sizeof(control) };
	int fd = -1;

	if (recvmsg(channel, &message, 0) == 1 && CMSG_FIRSTHDR(&message))
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
	return fd;
}

static void a_socket_handed_over_is_closed_by_its_receiver(void **state)
{
	const struct close_record *record;
	int channel[2];
	struct moment half_closed, peer_closed;
	struct followed f;
	pid_t child;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, channel), 0);
	child = fork(); /* before the connection is there: it inherits nothing of it */
	if (!child) {
		char byte;
		int fd = receive_fd(channel[1]);

		_exit(recv(fd, &byte, 1, 0) == 0 && !close(fd) ? 0 : 1);
	}
	begin(&f);
	half_closed = shutdown_now(f.pair.server, SHUT_WR);
	send_fd(channel[0], f.pair.server);
	close(f.pair.server);
	usleep(50000);
	peer_closed = close_now(f.pair.client);
	record = wait_record(&f);
	peer_closed.after = clock_now_ns();
	assert_int_equal(record->end, CLOSE_END_FIN);
	assert_int_equal(record->closer.pid, child);
	assert_lasted(half_closed_ns(record), half_closed, peer_closed);
	assert_in_range(record->close_call_ns, 0, peer_closed.after - peer_closed.before);
	assert_int_equal(waitpid(child, NULL, 0), child);
	close(channel[0]);
	close(channel[1]);
	end(&f);
}

static void the_exit_of_a_process_closes(void **state)
{
	const struct close_record *record;
	struct followed f;
	pid_t child;

	(void)state;
	begin(&f);
	child = fork();
	if (!child) {
		usleep(50000);
		_exit(0);
	}
	close(f.pair.server);
	assert_int_equal(waitpid(child, NULL, 0), child);
	close(f.pair.client);
	record = wait_record(&f);
	assert_int_equal(record->closer.pid, child);
	assert_unknown(record->close_call_ns);
	end(&f);
}

static void what_is_open_at_the_end_says_so(void **state)
{
	const struct close_record *record;
	struct followed f;

	(void)state;
	begin(&f);
	assert_int_equal(tracer_finish(f.trace.tracer), 0);
	record = trace_find(&f.trace, f.cookie);
	assert_non_null(record);
	assert_int_equal(record->end, CLOSE_END_OPEN);
	assert_int_equal(record->closer.pid, 0);
	assert_unknown(record->ended_ns);
	assert_unknown(record->unread_bytes);
	assert_unknown(record->fin_wait_1_ns);
	close(f.pair.client);
	close(f.pair.server);
	end(&f);
}

/* The kernel ends what nobody accepted; that is no close() of the connection. */
static void a_connection_that_nobody_accepted(void **state)
{
	struct followed f;
	int client;

	(void)state;
	begin(&f);
	client = tcp_connect(f.pair.server_port);
	close(f.listener);
	f.listener = tcp_listen(0, &f.pair.server_port);
	usleep(20000);
	assert_int_equal(tracer_finish(f.trace.tracer), 0);
	assert_int_equal(f.trace.count, 2); /* and the accepted one, still open */
	for (size_t i = 0; i < f.trace.count; i++) {
		assert_int_equal(f.trace.records[i].end, f.trace.records[i].cookie == f.cookie
								 ? CLOSE_END_OPEN
								 : CLOSE_END_RESET_SENT);
		assert_unknown(f.trace.records[i].close_call_ns);
	}
	close(client);
	close(f.pair.client);
	close(f.pair.server);
	end(&f);
}

/* connect() after a disconnect: one socket and one cookie, but two connections. */
static void a_socket_that_is_used_twice(void **state)
{
	struct sockaddr unspecified = { .sa_family = AF_UNSPEC };
	struct sockaddr_in address = { .sin_family = AF_INET };
	int listener, client, servers[2];
	struct trace trace;
	uint64_t cookie;
	uint16_t port;

	(void)state;
	trace_start(&trace, 0, 0);
	listener = tcp_listen(0, &port);
	client = tcp_connect(port);
	cookie = socket_cookie(client);
	servers[0] = accept(listener, NULL, NULL);
	assert_int_equal(connect(client, &unspecified, sizeof(unspecified)), 0);
	address.sin_port = htons(port);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(connect(client, (struct sockaddr *)&address, sizeof(address)), 0);
	servers[1] = accept(listener, NULL, NULL);
	close(servers[1]);
	usleep(20000);
	close(client);
	close(servers[0]);
	assert_int_equal(tracer_finish(trace.tracer), 0);
	for (size_t i = 0, seen = 0; i < trace.count; i++) {
		if (trace.records[i].cookie != cookie)
			continue;
		assert_int_equal(trace.records[i].end,
				 seen++ ? CLOSE_END_FIN : CLOSE_END_RESET_SENT);
		assert_int_equal(trace.records[i].closer.pid, seen == 2 ? getpid() : 0);
		assert_true(seen == 2 || i + 1 < trace.count);
	}
	trace_stop(&trace);
	close(listener);
}

static void only_watched_ports_are_followed(void **state)
{
	struct tcp_pair other;
	uint64_t other_cookie;
	struct followed f;

	(void)state;
	begin(&f);
	other = tcp_pair_open();
	other_cookie = socket_cookie(other.server);
	close(other.server);
	close(other.client);
	close(f.pair.server);
	close(f.pair.client);
	wait_record(&f);
	assert_int_equal(tracer_finish(f.trace.tracer), 0);
	assert_null(trace_find(&f.trace, other_cookie));
	assert_int_equal(f.trace.count, 1);
	end(&f);
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
		cmocka_unit_test(the_closer_is_who_closes_not_who_shuts_down),
		cmocka_unit_test(the_fin_in_a_recv_is_no_close),
		cmocka_unit_test(a_socket_handed_over_is_closed_by_its_receiver),
		cmocka_unit_test(the_exit_of_a_process_closes),
		cmocka_unit_test(what_is_open_at_the_end_says_so),
		cmocka_unit_test(a_connection_that_nobody_accepted),
		cmocka_unit_test(a_socket_that_is_used_twice),
		cmocka_unit_test(only_watched_ports_are_followed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	return trace_run_tests(run_group);
}
