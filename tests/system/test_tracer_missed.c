/* SPDX-License-Identifier: MIT */
/* Events that the kernel does not report. Here it is made to: their programs are taken off. */
#include "tracer/tracer.c"

#include "tracer/close_events.h"

#include "tests/support/tcp.h"
#include "tests/support/trace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>
#include <sys/socket.h>

static struct trace trace;
static struct close_trace *skeleton;
static int listener;
static uint16_t port;

/* In the test, not before it: there cmocka takes a skip for a failure. */
static void set_up_with(struct tracer_options options)
{
	options.filter = (struct tracer_filter){ .ports = &port, .port_count = 1 };
	options.hooks = TRACER_HOOKS_TRACEPOINT;
	listener = tcp_listen(0, &port);
	trace_start_with(&trace, &options);
	skeleton = trace.tracer->skeleton;
}

static void set_up(void)
{
	set_up_with((struct tracer_options){ 0 });
}

static int tear_down(void **state)
{
	(void)state;
	trace_stop(&trace);
	return close(listener);
}

static void take_off(struct bpf_link **link)
{
	assert_int_equal(bpf_link__destroy(*link), 0);
	*link = NULL;
}

static void put_back(struct bpf_link **link, const struct bpf_program *program)
{
	*link = bpf_program__attach(program);
	assert_non_null(*link);
}

/* A connection that the peer closes; half-closed before, it has ended then. */
static int accept_closed_by_peer(uint64_t *ret_cookie, bool half_closed)
{
	int client = tcp_connect(port);
	int server = accept(listener, NULL, NULL);

	assert_true(server >= 0);
	*ret_cookie = socket_cookie(server);
	if (half_closed)
		shutdown(server, SHUT_WR);
	close(client);
	usleep(20000);
	return server;
}

static void miss_the_return(int server)
{
	if (skeleton->links.tp_syscall_exit) {
		take_off(&skeleton->links.tp_syscall_exit);
		close(server);
		put_back(&skeleton->links.tp_syscall_exit, skeleton->progs.tp_syscall_exit);
		return;
	}
	take_off(&skeleton->links.event_close_exit);
	close(server);
	skeleton->links.event_close_exit =
		close_event_attach(skeleton->progs.event_close_exit, "sys_exit_close");
	assert_non_null(skeleton->links.event_close_exit);
}

static void miss_a_return(const struct tracer_options *options)
{
	const struct close_record *record;
	uint64_t cookie;
	int server;

	set_up_with(*options);
	if (!tracer_times_close_calls(trace.tracer)) {
		print_message("# SKIP calls of close() are not timed here\n");
		skip();
	}
	server = accept_closed_by_peer(&cookie, true);
	miss_the_return(server);
	usleep(20000);
	close(open("/dev/null", O_RDONLY | O_CLOEXEC));
	record = trace_wait(&trace, cookie, 5);
	assert_non_null(record);
	assert_int_equal(record->end, CLOSE_END_FIN);
	assert_int_equal(record->closer.pid, getpid());
	assert_true(record->close_call_ns == CLOSE_TRACE_UNKNOWN);
}

static void a_return_that_was_missed_is_not_that_of_the_next_close(void **state)
{
	(void)state;
	miss_a_return(&(struct tracer_options){ 0 });
}

static void nor_is_it_where_all_system_calls_are_looked_at(void **state)
{
	(void)state;
	miss_a_return(&(struct tracer_options){ .no_close_events = true });
}

static void *close_it(void *fd)
{
	close(*(const int *)fd);
	return NULL;
}

/* The thread makes no other call that would show it: the look for leftovers does. */
static void a_return_that_was_missed_for_good(void **state)
{
	const struct close_record *record;
	pthread_t thread;
	uint64_t cookie;
	int server;

	(void)state;
	set_up();
	if (!skeleton->links.event_close_exit) {
		print_message("# SKIP calls of close() are not timed by their own events here\n");
		skip();
	}
	server = accept_closed_by_peer(&cookie, true);
	take_off(&skeleton->links.event_close_exit);
	assert_int_equal(pthread_create(&thread, NULL, close_it, &server), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(tracer_poll(trace.tracer, 0), 0);
	assert_null(trace_find(&trace, cookie));
	usleep(1100000);
	trace.tracer->swept_at = 0;
	record = trace_wait(&trace, cookie, 5);
	assert_non_null(record);
	assert_int_equal(record->end, CLOSE_END_FIN);
	assert_true(record->close_call_ns == CLOSE_TRACE_UNKNOWN);
}

/* Taken out of the table, or the table of a long trace would fill. */
static void a_destruction_that_was_missed(void **state)
{
	const struct close_record *record;
	uint64_t cookie, open_cookie;
	int server, open_server;

	(void)state;
	set_up();
	server = accept_closed_by_peer(&cookie, false);
	open_server = accept_closed_by_peer(&open_cookie, true);
	take_off(&skeleton->links.on_destroy);
	close(server);
	put_back(&skeleton->links.on_destroy, skeleton->progs.on_destroy);
	usleep(20000);
	assert_int_equal(decide(trace.tracer, 0, 10 * NS_PER_S), 0);
	assert_int_equal(tracer_drain(trace.tracer), 0);
	assert_int_equal(trace.count, 0);
	assert_int_equal(decide(trace.tracer, 0, NS_PER_MS), 0);
	record = trace_wait(&trace, cookie, 5);
	assert_non_null(record);
	assert_int_equal(record->end, CLOSE_END_FIN);
	assert_int_equal(record->closer.pid, getpid());
	/* The other has ended too, but its server may take as long as it likes to close it. */
	assert_int_equal(trace.count, 1);
	close(open_server);
	assert_non_null(trace_wait(&trace, open_cookie, 5));
	assert_int_equal(trace.count, 2);
}

/* The mini-socket says that there was a last close(), but not when. */
static void a_close_that_was_missed_leaves_the_orphan_unknown(void **state)
{
	const struct close_record *record;
	int client, server;
	uint64_t cookie;

	(void)state;
	set_up();
	client = tcp_connect(port);
	server = accept(listener, NULL, NULL);
	assert_true(server >= 0);
	if (!tracer_follows_mini_sockets(trace.tracer)) {
		print_message("# SKIP mini-sockets are not followed here\n");
		skip();
	}
	cookie = socket_cookie(server);
	shutdown(server, SHUT_WR);
	usleep(200000); /* the peer may delay its acknowledgement of the FIN */
	take_off(&skeleton->links.on_state);
	take_off(&skeleton->links.on_destroy);
	close(server);
	put_back(&skeleton->links.on_destroy, skeleton->progs.on_destroy);
	put_back(&skeleton->links.on_state, skeleton->progs.on_state);
	usleep(50000);
	close(client);
	usleep(50000);
	assert_int_equal(tracer_finish(trace.tracer), 0);
	record = trace_find(&trace, cookie);
	assert_non_null(record);
	assert_int_equal(record->end, CLOSE_END_FIN);
	assert_true(record->fin_wait_2_ns != CLOSE_TRACE_UNKNOWN);
	assert_true(record->fin_wait_2_ns >= 50 * NS_PER_MS);
	assert_true(record->orphan_ns == CLOSE_TRACE_UNKNOWN);
}

/* Whether the kernel did. */
static bool destroy_fin_wait_2(void)
{
	char command[100], line[200];
	FILE *output;
	bool done;

	snprintf(command, sizeof(command), "ss -HK -tan state fin-wait-2 sport = :%u", port);
	output = popen(command, "re");
	assert_non_null(output);
	done = fgets(line, sizeof(line), output);
	pclose(output);
	return done;
}

/* By tracepoints nothing tells of it: it is looked for. */
static void a_mini_socket_that_somebody_destroyed(void **state)
{
	const struct close_record *record;
	uint64_t cookie;
	int client, server;

	(void)state;
	set_up();
	client = tcp_connect(port);
	server = accept(listener, NULL, NULL);
	cookie = socket_cookie(server);
	close(server);
	usleep(200000); /* the peer may delay its acknowledgement of the FIN */
	if (!tracer_follows_mini_sockets(trace.tracer)) {
		print_message("# SKIP mini-sockets are not followed here\n");
		skip();
	}
	assert_int_equal(decide(trace.tracer, 0, 10 * NS_PER_S), 0);
	assert_int_equal(tracer_drain(trace.tracer), 0);
	assert_int_equal(trace.count, 0);
	if (!destroy_fin_wait_2()) {
		print_message("# SKIP this kernel destroys no sockets on demand\n");
		skip();
	}
	assert_int_equal(decide(trace.tracer, 0, 10 * NS_PER_S), 0);
	record = trace_wait(&trace, cookie, 5);
	assert_non_null(record);
	assert_int_equal(record->end, CLOSE_END_UNKNOWN);
	assert_true(record->flags & CLOSE_INCOMPLETE);
	assert_true(record->flags & CLOSE_FIN_WAIT_2);
	assert_true(record->fin_wait_2_ns == CLOSE_TRACE_UNKNOWN);
	close(client);
}

static int run_group(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(a_return_that_was_missed_is_not_that_of_the_next_close,
					  tear_down),
		cmocka_unit_test_teardown(nor_is_it_where_all_system_calls_are_looked_at,
					  tear_down),
		cmocka_unit_test_teardown(a_return_that_was_missed_for_good, tear_down),
		cmocka_unit_test_teardown(a_destruction_that_was_missed, tear_down),
		cmocka_unit_test_teardown(a_close_that_was_missed_leaves_the_orphan_unknown,
					  tear_down),
		cmocka_unit_test_teardown(a_mini_socket_that_somebody_destroyed, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	return trace_run_tests(run_group);
}
