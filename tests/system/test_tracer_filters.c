/* SPDX-License-Identifier: MIT */
/* Which connections are followed: the filters of the kernel side, and those that were there before. */
#include "tests/support/mounts.h"
#include "tests/support/netns.h"
#include "tests/support/process.h"
#include "tests/support/tcp.h"
#include "tests/support/trace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"

static int listen_dual_stack(uint16_t *ret_port)
{
	struct sockaddr_in6 address = { .sin6_family = AF_INET6 };
	socklen_t length = sizeof(address);
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int off = 0;

	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, length), 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
	*ret_port = ntohs(address.sin6_port);
	return fd;
}

static int connect_6(uint16_t port)
{
	struct sockaddr_in6 address = { .sin6_family = AF_INET6,
					.sin6_port = htons(port),
					.sin6_addr = IN6ADDR_LOOPBACK_INIT };
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

/* Closes both; the cookie of the server's side. */
static uint64_t serve(int listener, int client)
{
	int server = accept(listener, NULL, NULL);
	uint64_t cookie = socket_cookie(server);

	close(server);
	close(client);
	return cookie;
}

static struct tracer_counts finish(struct trace *trace)
{
	struct tracer_counts counts;

	assert_int_equal(tracer_finish(trace->tracer), 0);
	tracer_get_counts(trace->tracer, &counts);
	assert_int_equal(counts.followed,
			 trace->count + counts.ring_full + counts.map_full + counts.filtered);
	return counts;
}

/* IPv4 on an IPv6 socket goes over the wire as IPv4. */
static void of_one_family(int family, bool wants_ipv4)
{
	struct tracer_options options = { .filter = { .port_count = 1, .family = family } };
	uint64_t ipv4, ipv6;
	struct trace trace;
	uint16_t port;
	int listener = listen_dual_stack(&port);

	options.filter.ports = &port;
	trace_start_with(&trace, &options);
	ipv4 = serve(listener, tcp_connect(port));
	ipv6 = serve(listener, connect_6(port));
	finish(&trace);
	assert_int_equal(trace.count, 1);
	assert_int_equal(trace.records[0].cookie, wants_ipv4 ? ipv4 : ipv6);
	assert_int_equal(trace.records[0].family, AF_INET6);
	assert_int_equal(IN6_IS_ADDR_V4MAPPED((struct in6_addr *)trace.records[0].laddr),
			 wants_ipv4);
	assert_int_equal(IN6_IS_ADDR_V4MAPPED((struct in6_addr *)trace.records[0].raddr),
			 wants_ipv4);
	trace_stop(&trace);
	close(listener);
}

static void by_family(void **state)
{
	(void)state;
	of_one_family(AF_INET, true);
	of_one_family(AF_INET6, false);
}

static void by_network_namespace(void **state)
{
	struct tracer_options options = { .filter = { .port_count = 1 } };
	int former, here, there;
	struct trace trace;
	uint64_t cookie;
	uint16_t port;

	(void)state;
	here = tcp_listen(0, &port);
	former = netns_enter_new();
	options.filter.netns = netns_inode();
	options.filter.ports = &port;
	trace_start_with(&trace, &options);
	there = tcp_listen(port, &port); /* the same port in both */
	cookie = serve(there, tcp_connect(port));
	netns_leave(former);
	serve(here, tcp_connect(port));
	finish(&trace);
	assert_int_equal(trace.count, 1);
	assert_int_equal(trace.records[0].cookie, cookie);
	assert_int_equal(trace.records[0].netns, options.filter.netns);
	assert_int_not_equal(trace.records[0].netns, netns_inode());
	trace_stop(&trace);
	close(here);
	close(there);
}

static void by_the_closing_process(void **state)
{
	struct tracer_options options = { .filter = { .port_count = 1, .pid = getpid() } };
	uint64_t handed, theirs;
	struct tracer_counts counts;
	struct trace trace;
	int client, server;
	uint16_t port;
	int listener = tcp_listen(0, &port);
	pid_t child;

	(void)state;
	options.filter.ports = &port;
	trace_start_with(&trace, &options);
	serve(listener, tcp_connect(port));
	/* Half-closed here, and closed there: ours, too. */
	client = tcp_connect(port);
	server = accept(listener, NULL, NULL);
	handed = socket_cookie(server);
	shutdown(server, SHUT_WR);
	child = fork();
	if (!child) {
		close(client);
		theirs = serve(listener, tcp_connect(port)); /* theirs alone */
		recv(server, &theirs, sizeof(theirs), 0);
		_exit(0);
	}
	close(server);
	close(client);
	assert_int_equal(waitpid(child, NULL, 0), child);
	counts = finish(&trace);
	assert_int_equal(trace.count, 2);
	assert_int_equal(counts.filtered, 1);
	assert_non_null(trace_find(&trace, handed));
	assert_int_equal(trace_find(&trace, handed)->closer.pid, child);
	trace_stop(&trace);
	close(listener);
}

static void by_the_name_of_the_closer(void **state)
{
	struct tracer_options options = { .filter = { .port_count = 1, .comm = "closer" } };
	struct tracer_counts counts;
	struct trace trace;
	char name[16];
	uint64_t cookie;
	uint16_t port;
	int client, listener = tcp_listen(0, &port);

	(void)state;
	options.filter.ports = &port;
	trace_start_with(&trace, &options);
	prctl(PR_GET_NAME, name);
	prctl(PR_SET_NAME, "closer");
	cookie = serve(listener, tcp_connect(port));
	prctl(PR_SET_NAME, "closer2");
	serve(listener, tcp_connect(port));
	prctl(PR_SET_NAME, name);
	client = tcp_connect(port); /* closed by nobody */
	counts = finish(&trace);
	assert_int_equal(trace.count, 1);
	assert_int_equal(trace.records[0].cookie, cookie);
	assert_string_equal(trace.records[0].closer.comm, "closer");
	assert_int_equal(counts.filtered, 2);
	trace_stop(&trace);
	close(client);
	close(listener);
}

static void enter_cgroup(const char *path)
{
	char file[512];
	FILE *processes;

	snprintf(file, sizeof(file), "%s/cgroup.procs", path);
	processes = fopen(file, "we");
	assert_non_null(processes);
	fprintf(processes, "0\n");
	assert_int_equal(fclose(processes), 0);
}

static void by_cgroup(void **state)
{
	struct tracer_options options = { 0 };
	char folder[256], outer[280], inner[300];
	struct stat status;
	struct trace trace;
	pid_t child;

	(void)state;
	mounts_enter_new();
	make_folder(folder);
	assert_int_equal(mount("none", folder, "cgroup2", 0, NULL), 0);
	snprintf(outer, sizeof(outer), "%s/lingerd-test-%d", folder, getpid());
	snprintf(inner, sizeof(inner), "%s/inner", outer);
	assert_int_equal(mkdir(outer, 0755), 0);
	assert_int_equal(mkdir(inner, 0755), 0);
	assert_int_equal(stat(outer, &status), 0);
	options.filter.cgroup = status.st_ino;
	trace_start_with(&trace, &options);
	child = fork();
	if (!child) {
		uint16_t port;
		int listener = tcp_listen(0, &port);

		enter_cgroup(inner);
		serve(listener, tcp_connect(port)); /* the server's side: made before */
		_exit(0);
	}
	assert_int_equal(waitpid(child, NULL, 0), child);
	finish(&trace);
	assert_int_equal(trace.count, 1); /* the client's */
	assert_int_equal(trace.records[0].closer.pid, child);
	trace_stop(&trace);
	assert_int_equal(rmdir(inner), 0);
	assert_int_equal(rmdir(outer), 0);
	assert_int_equal(umount(folder), 0);
	remove_folder(folder);
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

/* Its last part is measured, and nothing that began before the trace. */
static void assert_seeded(struct trace *trace, uint64_t cookie, enum close_end end)
{
	const struct close_record *record = trace_wait(trace, cookie, 10);

	assert_non_null(record);
	assert_true(record->flags & CLOSE_SEEDED);
	assert_false(record->flags & CLOSE_INCOMPLETE);
	assert_int_equal(record->end, end);
	assert_true(record->established_ns == CLOSE_TRACE_UNKNOWN);
}

static void connections_that_exist_are_followed_from_now_on(void **state)
{
	struct tracer_options options = { .filter = { .port_count = 1 }, .existing = true };
	enum { ESTABLISHED, HALF_CLOSED, ORPHAN, CLOSE_WAIT, ENDED, COUNT };
	int clients[COUNT], servers[COUNT];
	const struct close_record *record;
	uint64_t cookies[COUNT];
	struct trace trace;
	uint16_t port;
	int listener = tcp_listen(0, &port);

	(void)state;
	for (int i = 0; i < COUNT; i++) {
		clients[i] = tcp_connect(port);
		servers[i] = accept(listener, NULL, NULL);
		cookies[i] = socket_cookie(servers[i]);
	}
	shutdown(servers[HALF_CLOSED], SHUT_WR);
	wait_state(servers[HALF_CLOSED], TCP_FIN_WAIT2);
	shutdown(servers[ORPHAN], SHUT_WR);
	wait_state(servers[ORPHAN], TCP_FIN_WAIT2);
	close(servers[ORPHAN]);
	close(clients[CLOSE_WAIT]);
	wait_state(servers[CLOSE_WAIT], TCP_CLOSE_WAIT);
	close(servers[ENDED]);
	close(clients[ENDED]);
	usleep(50000);

	options.filter.ports = &port;
	trace_start_with(&trace, &options);
	if (tracer_follows_mini_sockets(trace.tracer)) {
		close(clients[ORPHAN]);
		assert_seeded(&trace, cookies[ORPHAN], CLOSE_END_FIN);
		record = trace_find(&trace, cookies[ORPHAN]);
		assert_true(record->flags & CLOSE_FIN_WAIT_2);
		assert_true(record->fin_wait_2_ns == CLOSE_TRACE_UNKNOWN);
		assert_int_equal(record->lport, port);
	}
	close(clients[HALF_CLOSED]);
	wait_state(servers[HALF_CLOSED], TCP_CLOSE);
	close(servers[HALF_CLOSED]);
	assert_seeded(&trace, cookies[HALF_CLOSED], CLOSE_END_FIN);
	record = trace_find(&trace, cookies[HALF_CLOSED]);
	assert_true(record->fin_wait_2_ns == CLOSE_TRACE_UNKNOWN);
	assert_int_equal(record->closer.pid, getpid());
	assert_int_equal(record->half_closer.pid, 0);

	close(servers[CLOSE_WAIT]);
	assert_seeded(&trace, cookies[CLOSE_WAIT], CLOSE_END_FIN);
	record = trace_find(&trace, cookies[CLOSE_WAIT]);
	assert_true(record->close_wait_ns == CLOSE_TRACE_UNKNOWN);
	assert_true(record->last_ack_ns != CLOSE_TRACE_UNKNOWN);

	finish(&trace);
	assert_seeded(&trace, cookies[ESTABLISHED], CLOSE_END_OPEN);
	record = trace_find(&trace, cookies[ESTABLISHED]);
	assert_int_equal(record->state, TCP_ESTABLISHED);
	assert_null(trace_find(&trace, cookies[ENDED])); /* in TIME_WAIT, if at all */
	trace_stop(&trace);
	close(clients[ESTABLISHED]);
	close(servers[ESTABLISHED]);
	close(listener);
}

static int connect_from(uint16_t client_port, uint16_t port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons(client_port),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int on = 1;

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	address.sin_port = htons(port);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

/* It lasts a minute, or until the same two ports connect anew. */
static void time_wait_is_followed_if_asked_for(void **state)
{
	struct tracer_options options = { .filter = { .port_count = 1 }, .time_wait = true };
	const struct close_record *record;
	struct sockaddr_in address;
	socklen_t length = sizeof(address);
	uint64_t began, cookie;
	struct trace trace;
	int client, server, listener, former;
	uint16_t port;

	(void)state;
	former = netns_enter_new(); /* where nobody else takes the client's port */
	listener = tcp_listen(0, &port);
	options.filter.ports = &port;
	trace_start_with(&trace, &options);
	if (!tracer_follows_mini_sockets(trace.tracer)) {
		netns_leave(former);
		print_message("# SKIP mini-sockets are not followed here\n");
		skip();
	}
	client = tcp_connect(port);
	server = accept(listener, (struct sockaddr *)&address, &length);
	cookie = socket_cookie(server);
	close(server);
	usleep(60000);
	began = clock_now_ns();
	close(client);
	while (clock_now_ns() < began + 200 * NS_PER_MS)
		assert_int_equal(tracer_poll(trace.tracer, 5), 0);
	assert_int_equal(trace.count, 0);
	client = connect_from(ntohs(address.sin_port), port);
	record = trace_wait(&trace, cookie, 5);
	assert_non_null(record);
	assert_int_equal(record->end, CLOSE_END_FIN);
	assert_in_range(record->fin_wait_2_ns, 10 * NS_PER_MS, 1000 * NS_PER_MS);
	assert_in_range(record->time_wait_ns, 199 * NS_PER_MS, 1000 * NS_PER_MS);
	close(accept(listener, NULL, NULL));
	close(client);
	finish(&trace);
	assert_int_equal(trace.count, 2);
	trace_stop(&trace);
	close(listener);
	netns_leave(former);
}

static void a_table_that_is_full_is_counted(void **state)
{
	struct tracer_options options = { .filter = { .port_count = 1 }, .connections = 10 };
	int clients[40], servers[40];
	struct tracer_counts counts;
	struct trace trace;
	uint16_t port;
	int listener = tcp_listen(0, &port);

	(void)state;
	options.filter.ports = &port;
	trace_start_with(&trace, &options);
	for (int i = 0; i < 40; i++) {
		clients[i] = tcp_connect(port);
		servers[i] = accept(listener, NULL, NULL);
	}
	for (int i = 0; i < 40; i++) {
		close(clients[i]);
		close(servers[i]);
	}
	counts = finish(&trace);
	assert_int_equal(counts.followed, 40);
	/* Of 8192 cookies two have a place of their own besides. */
	assert_in_range(trace.count, 10, 12);
	assert_int_equal(counts.map_full + trace.count, 40);
	trace_stop(&trace);
	close(listener);
}

static int run_group(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_family),
		cmocka_unit_test(by_network_namespace),
		cmocka_unit_test(by_the_closing_process),
		cmocka_unit_test(by_the_name_of_the_closer),
		cmocka_unit_test(by_cgroup),
		cmocka_unit_test(connections_that_exist_are_followed_from_now_on),
		cmocka_unit_test(time_wait_is_followed_if_asked_for),
		cmocka_unit_test(a_table_that_is_full_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	return trace_run_tests(run_group);
}
