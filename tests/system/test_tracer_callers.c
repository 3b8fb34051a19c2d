/* SPDX-License-Identifier: MIT */
/*
 * Who closes a connection, and which connections there are at all: other processes, exits, sockets that nobody
 * accepted, that are used twice or are still open.
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

/* shutdown(SHUT_RDWR) looks like close() to the state machine. */
static void the_closer_is_who_closes_not_who_shuts_down(void **state)
{
	const struct close_record *record;
	struct followed f;
	pid_t child;

	(void)state;
	followed_begin(&f);
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
	record = followed_wait(&f);
	assert_int_equal(record->end, CLOSE_END_FIN);
	assert_true(half_closed_ns(record) >= 20 * NS_PER_MS);
	assert_closed_here(record);
	followed_end(&f);
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
	struct tracer_options options = {
		.filter = { .port_count = 1 }, .all_close_calls = true, /* it may take long */
	};
	struct tracer_counts losses;
	struct trace trace;
	size_t empty = 0;
	uint16_t port;
	int listener = tcp_listen(0, &port);
	pid_t child;

	(void)state;
	options.filter.ports = &port;
	trace_start_with(&trace, &options);
	followed_times_close_calls = tracer_times_close_calls(trace.tracer);
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
		    (followed_times_close_calls && record->close_call_ns == CLOSE_TRACE_UNKNOWN)) {
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
	followed_begin(&f);
	half_closed = shutdown_now(f.pair.server, SHUT_WR);
	send_fd(channel[0], f.pair.server);
	close(f.pair.server);
	usleep(50000);
	peer_closed = close_now(f.pair.client);
	record = followed_wait(&f);
	peer_closed.after = clock_now_ns();
	assert_int_equal(record->end, CLOSE_END_FIN);
	assert_int_equal(record->closer.pid, child);
	assert_lasted(half_closed_ns(record), half_closed, peer_closed);
	if (followed_times_close_calls)
		assert_in_range(record->close_call_ns, 0, peer_closed.after - peer_closed.before);
	assert_int_equal(waitpid(child, NULL, 0), child);
	close(channel[0]);
	close(channel[1]);
	followed_end(&f);
}

static void the_exit_of_a_process_closes(void **state)
{
	const struct close_record *record;
	struct followed f;
	pid_t child;

	(void)state;
	followed_begin(&f);
	child = fork();
	if (!child) {
		usleep(50000);
		_exit(0);
	}
	close(f.pair.server);
	assert_int_equal(waitpid(child, NULL, 0), child);
	close(f.pair.client);
	record = followed_wait(&f);
	assert_int_equal(record->closer.pid, child);
	/* There was no call of close(): the tracepoints are those of system calls. */
	assert_int_equal(record->close_call_ns != CLOSE_TRACE_UNKNOWN, trace_tests_fentry());
	followed_end(&f);
}

static void what_is_open_at_the_end_says_so(void **state)
{
	const struct close_record *record;
	struct followed f;

	(void)state;
	followed_begin(&f);
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
	followed_end(&f);
}

/* The kernel ends what nobody accepted; that is no close() of the connection. */
static void a_connection_that_nobody_accepted(void **state)
{
	struct followed f;
	int client;

	(void)state;
	followed_begin(&f);
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
	followed_end(&f);
}

/* connect() after a disconnect: one socket and one cookie, but two connections. */
static void a_socket_that_is_used_twice(void **state)
{
	struct sockaddr unspecified = { .sa_family = AF_UNSPEC };
	struct sockaddr_in address = { .sin_family = AF_INET };
	int listener, client, servers[2];
	struct trace trace;
	size_t seen = 0;
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
	for (size_t i = 0; i < trace.count; i++) {
		if (trace.records[i].cookie != cookie)
			continue;
		assert_int_equal(trace.records[i].end,
				 seen++ ? CLOSE_END_FIN : CLOSE_END_RESET_SENT);
		assert_int_equal(trace.records[i].closer.pid, seen == 2 ? getpid() : 0);
	}
	assert_int_equal(seen, 2);
	trace_stop(&trace);
	close(listener);
}

static void only_watched_ports_are_followed(void **state)
{
	struct tcp_pair other;
	uint64_t other_cookie;
	struct followed f;

	(void)state;
	followed_begin(&f);
	other = tcp_pair_open();
	other_cookie = socket_cookie(other.server);
	close(other.server);
	close(other.client);
	close(f.pair.server);
	close(f.pair.client);
	followed_wait(&f);
	assert_int_equal(tracer_finish(f.trace.tracer), 0);
	assert_null(trace_find(&f.trace, other_cookie));
	assert_int_equal(f.trace.count, 1);
	followed_end(&f);
}

static int run_group(void)
{
	const struct CMUnitTest tests[] = {
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
