/* SPDX-License-Identifier: MIT */
/*
 * The tracer against the kernel's own counters: in a network namespace where nothing else happens, the rows of
 * the trace add up to them.
 */
#include "tests/support/netns.h"
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
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"

enum { EACH = 20, TIME_WAIT_MOST = 5 };

struct counters {
	uint64_t abort_on_close;
	uint64_t abort_on_data;
	uint64_t abort_on_linger;
	uint64_t time_wait_overflow;
	uint64_t out_resets;
};

/* A counter of /proc/net/snmp or netstat: a line of names, then one of values. */
static uint64_t read_counter(const char *path, const char *group, const char *name)
{
	static char names[8192], values[8192];
	FILE *file = fopen(path, "re");
	char *next_name, *next_value;

	assert_non_null(file);
	while (fgets(names, sizeof(names), file) && fgets(values, sizeof(values), file)) {
		const char *n = strtok_r(names, " \n", &next_name);
		const char *v = strtok_r(values, " \n", &next_value);

		if (strcmp(n, group))
			continue;
		while (n && v && strcmp(n, name)) {
			n = strtok_r(NULL, " \n", &next_name);
			v = strtok_r(NULL, " \n", &next_value);
		}
		fclose(file);
		assert_true(n && v);
		return strtoull(v, NULL, 10);
	}
	fclose(file);
	fail_msg("no %s in %s", name, path);
	return 0;
}

static struct counters read_counters(void)
{
	static const char netstat[] = "/proc/thread-self/net/netstat";

	return (struct counters){
		.abort_on_close = read_counter(netstat, "TcpExt:", "TCPAbortOnClose"),
		.abort_on_data = read_counter(netstat, "TcpExt:", "TCPAbortOnData"),
		.abort_on_linger = read_counter(netstat, "TcpExt:", "TCPAbortOnLinger"),
		.time_wait_overflow = read_counter(netstat, "TcpExt:", "TCPTimeWaitOverflow"),
		.out_resets = read_counter("/proc/thread-self/net/snmp", "Tcp:", "OutRsts"),
	};
}

static bool is_within_close(const struct close_record *record)
{
	return record->ended_ns - record->closed_ns < record->close_call_ns;
}

/* What the counters should say, by the rows alone. */
static void count(struct counters *counters, const struct close_record *record)
{
	counters->time_wait_overflow += !!(record->flags & CLOSE_TIME_WAIT_OVERFLOW);
	if (!(record->flags & CLOSE_RESET_SENT))
		return;
	counters->out_resets++;
	if (record->flags & CLOSE_RESET_RECEIVED)
		counters->abort_on_data++; /* data on a full orphan */
	else if (record->flags & CLOSE_CALLED && record->unread_bytes)
		counters->abort_on_close++;
	else if (record->flags & CLOSE_CALLED && !(record->flags & CLOSE_FIN_SENT))
		counters->abort_on_data++; /* SO_LINGER with 0 s */
	else if (is_within_close(record))
		counters->abort_on_linger++; /* TCP_LINGER2 below 0 */
	/* Data on a mini-socket is counted as an RST and nothing else. */
}

static void set_linger2(int fd, int seconds)
{
	assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_LINGER2, &seconds, sizeof(seconds)), 0);
}

static void reset_on_close(int fd)
{
	struct linger linger = { .l_onoff = 1 };

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
}

static void send_byte(int fd)
{
	assert_int_equal(send(fd, "x", 1, MSG_NOSIGNAL), 1);
}

static void expect_eof(int fd)
{
	char byte;

	assert_int_equal(recv(fd, &byte, 1, 0), 0);
}

/* Until the peer's kernel, which delays the acknowledgement of our FIN, has sent it. */
static void wait_fin_acked(int fd)
{
	struct tcp_info info = { 0 };
	socklen_t length = sizeof(info);

	for (int i = 0; i < 10000 && info.tcpi_state != TCP_FIN_WAIT2; i++) {
		assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length), 0);
		usleep(500);
	}
	assert_int_equal(info.tcpi_state, TCP_FIN_WAIT2);
}

static void in_order(struct tcp_pair *pair)
{
	close(pair->client);
	expect_eof(pair->server);
	close(pair->server);
}

static void with_unread_bytes(struct tcp_pair *pair)
{
	send_byte(pair->client);
	recv(pair->server, (char[1]){ 0 }, 1, MSG_PEEK);
	close(pair->server);
	close(pair->client);
}

static void with_zero_linger(struct tcp_pair *pair)
{
	reset_on_close(pair->server);
	close(pair->server);
	close(pair->client);
}

static void with_linger2_below_0(struct tcp_pair *pair)
{
	set_linger2(pair->server, -1);
	shutdown(pair->server, SHUT_WR);
	wait_fin_acked(pair->server);
	close(pair->server);
	close(pair->client);
}

static void data_after_close(struct tcp_pair *pair)
{
	shutdown(pair->server, SHUT_WR);
	wait_fin_acked(pair->server);
	close(pair->server);
	send_byte(pair->client);
	close(pair->client);
}

static void data_on_a_full_orphan(struct tcp_pair *pair)
{
	set_linger2(pair->server, 100);
	data_after_close(pair);
}

static void server_first(struct tcp_pair *pair)
{
	close(pair->server);
	expect_eof(pair->client);
	close(pair->client);
}

static void limit_time_wait(void)
{
	FILE *file = fopen("/proc/sys/net/ipv4/tcp_max_tw_buckets", "we");

	assert_non_null(file);
	fprintf(file, "%d\n", TIME_WAIT_MOST);
	assert_int_equal(fclose(file), 0);
}

/* Nobody listens: an RST for no connection. */
static void connect_in_vain(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons(1),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_not_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
}

static void pass_ms(struct trace *trace, unsigned int ms)
{
	uint64_t end = clock_now_ns() + ms * NS_PER_MS;

	while (clock_now_ns() < end)
		assert_int_equal(tracer_poll(trace->tracer, 1), 0);
}

static void rows_add_up_to_the_counters_of_the_kernel(void **state)
{
	static void (*const ways[])(struct tcp_pair *) = {
		in_order,	  with_unread_bytes,	 with_zero_linger, with_linger2_below_0,
		data_after_close, data_on_a_full_orphan, server_first,
	};
	struct tracer_options options = { .all_close_calls = true };
	struct counters expected = { 0 }, counters;
	struct tracer_counts counts;
	struct trace trace;
	int former;

	(void)state;
	if (geteuid()) {
		print_message("# SKIP network namespaces take root\n");
		skip();
	}
	former = netns_enter_new();
	options.filter.netns = netns_inode();
	trace_start_with(&trace, &options);
	if (!tracer_follows_mini_sockets(trace.tracer)) {
		print_message("# SKIP mini-sockets are not followed here\n");
		skip();
	}
	for (size_t way = 0; way < sizeof(ways) / sizeof(ways[0]); way++)
		for (int i = 0; i < EACH; i++) {
			struct tcp_pair pair = tcp_pair_open();

			ways[way](&pair);
		}
	limit_time_wait();
	for (int i = 0; i < EACH; i++) {
		struct tcp_pair pair = tcp_pair_open();

		server_first(&pair);
	}
	connect_in_vain();
	pass_ms(&trace, 300);
	counters = read_counters();
	assert_int_equal(tracer_finish(trace.tracer), 0);
	netns_leave(former);
	tracer_get_counts(trace.tracer, &counts);
	assert_int_equal(counts.ring_full + counts.map_full, 0);
	assert_int_equal(trace.count, 2 * EACH * (sizeof(ways) / sizeof(ways[0]) + 1));
	for (size_t i = 0; i < trace.count; i++)
		count(&expected, &trace.records[i]);

	assert_int_equal(counters.abort_on_close, EACH);
	assert_int_equal(expected.abort_on_close, counters.abort_on_close);
	assert_int_equal(counters.abort_on_data, 2 * EACH);
	assert_int_equal(expected.abort_on_data, counters.abort_on_data);
	assert_int_equal(counters.abort_on_linger, EACH);
	assert_int_equal(expected.abort_on_linger, counters.abort_on_linger);
	assert_true(counters.time_wait_overflow > 0);
	assert_int_equal(expected.time_wait_overflow, counters.time_wait_overflow);
	if (counts.stray_resets == CLOSE_TRACE_UNKNOWN) {
		assert_true(expected.out_resets < counters.out_resets);
	} else {
		assert_true(counts.stray_resets > 0);
		assert_int_equal(expected.out_resets + counts.stray_resets, counters.out_resets);
	}
	trace_stop(&trace);
}

static int run_group(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_add_up_to_the_counters_of_the_kernel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	return trace_run_tests(run_group);
}
