/* SPDX-License-Identifier: MIT */
/*
 * By tracepoints, close() is timed by events that come and go with the calls that may block. Rows are never held up,
 * lost or written twice by that, and no close() is ever said to have blocked for longer than it did.
 */
#include "tests/support/followed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"

enum { THREADS = 6, EVENTS = 2 };

static struct trace trace;
static int listeners[THREADS];
static uint16_t ports[THREADS];

/* A connection, and how long its close() took as its caller saw it. */
struct closing {
	int server;
	int client;
	uint64_t cookie;
	uint64_t began_at;
	uint64_t took_ns;
};

/* Events of perf that this process holds, as the kernel shows them. */
static int events_attached(void)
{
	DIR *folder = opendir("/proc/self/fd");
	const struct dirent *entry;
	int count = 0;

	assert_non_null(folder);
	while ((entry = readdir(folder))) {
		char target[64] = { 0 };

		if (readlinkat(dirfd(folder), entry->d_name, target, sizeof(target) - 1) > 0)
			count += !strcmp(target, "anon_inode:[perf_event]");
	}
	closedir(folder);
	return count;
}

static void poll_once(int timeout_ms)
{
	int result = tracer_poll(trace.tracer, timeout_ms);

	assert_true(!result || result == -EINTR);
}

static void poll_for(uint64_t ns)
{
	uint64_t end = clock_now_ns() + ns;

	while (clock_now_ns() < end)
		poll_once(5);
}

static void poll_until_events(int count)
{
	uint64_t end = clock_now_ns() + 20 * NS_PER_S;

	while (events_attached() != count) {
		assert_true(clock_now_ns() < end);
		poll_once(5);
	}
}

/* In the test, not before it: there cmocka takes a skip for a failure. */
static void set_up(uint64_t quiet_ns, uint64_t quiet_connections)
{
	const struct tracer_options options = {
		.filter = { .ports = ports, .port_count = THREADS },
		.hooks = TRACER_HOOKS_TRACEPOINT,
		.quiet_ns = quiet_ns,
		.quiet_connections = quiet_connections,
	};

	if (trace_tests_fentry()) {
		print_message("# SKIP by fentry there are no such events\n");
		skip();
	}
	for (int i = 0; i < THREADS; i++)
		listeners[i] = tcp_listen(0, &ports[i]);
	trace_start_with(&trace, &options);
	if (events_attached() != EVENTS) {
		print_message("# SKIP calls of close() are not timed by their own events here\n");
		skip();
	}
}

static int tear_down(void **state)
{
	(void)state;
	trace_stop(&trace);
	for (int i = 0; i < THREADS; i++) {
		if (listeners[i])
			close(listeners[i]);
		listeners[i] = 0;
	}
	return 0;
}

static struct closing open_at(int listener, uint16_t port)
{
	struct closing closing = { .client = tcp_connect(port) };

	closing.server = accept(listener, NULL, NULL);
	closing.cookie = socket_cookie(closing.server);
	return closing;
}

static struct closing open_one(void)
{
	return open_at(listeners[0], ports[0]);
}

/* More than the peer takes, which never reads: with SO_LINGER, close() waits in vain. */
static void fill(int fd)
{
	static const char content[64 * 1024];

	while (send(fd, content, sizeof(content), MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
		;
}

static void close_timed(struct closing *closing)
{
	closing->began_at = clock_now_ns();
	close(closing->server);
	closing->took_ns = clock_now_ns() - closing->began_at;
}

static void close_both(struct closing *closing)
{
	close_timed(closing);
	close(closing->client);
}

/* When the tracer sleeps. */
static void *close_in_thread(void *closing)
{
	usleep(100000);
	close_timed(closing);
	return NULL;
}

static pthread_t close_elsewhere(struct closing *closing)
{
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, close_in_thread, closing), 0);
	return thread;
}

static const struct close_record *row_of(const struct closing *closing)
{
	const struct close_record *record = trace_wait(&trace, closing->cookie, 5);

	assert_non_null(record);
	return record;
}

static void assert_timed(const struct closing *closing)
{
	const struct close_record *record = row_of(closing);

	assert_known(record->close_call_ns);
	assert_true(record->close_call_ns <= closing->took_ns);
}

static void assert_not_overstated(const struct closing *closing)
{
	const struct close_record *record = row_of(closing);

	assert_true(record->close_call_ns == CLOSE_TRACE_UNKNOWN ||
		    record->close_call_ns <= closing->took_ns);
}

static void assert_blocked_a_second(const struct closing *closing)
{
	assert_timed(closing);
	assert_true(closing->took_ns >= 990 * NS_PER_MS);
	assert_true(row_of(closing)->close_call_ns >= 900 * NS_PER_MS);
}

static void at_the_start_every_close_is_timed(void **state)
{
	struct closing closing;

	(void)state;
	set_up(0, 0);
	closing = open_one();
	close_both(&closing);
	assert_timed(&closing);
	assert_int_equal(events_attached(), EVENTS);
}

/* Its row is complete but for that, and nothing holds it up: nor does user space look for calls any more. */
static void assert_comes_untimed(void)
{
	const struct close_record *record;
	struct closing closing;
	uint64_t closed_at;

	poll_for(200 * NS_PER_MS);
	closing = open_one();
	close_both(&closing);
	closed_at = clock_now_ns();
	record = row_of(&closing);
	assert_true(clock_now_ns() - closed_at < NS_PER_S);
	assert_unknown(record->close_call_ns);
	assert_false(record->flags & CLOSE_INCOMPLETE);
	assert_int_equal(record->end, CLOSE_END_FIN);
	assert_int_equal(record->closer.pid, getpid());
	assert_known(record->closed_ns);
	assert_known(record->unread_bytes);
	assert_int_equal(events_attached(), 0);
}

static void after_a_quiet_time_the_events_are_gone(void **state)
{
	(void)state;
	set_up(50 * NS_PER_MS, 0);
	poll_until_events(0);
	assert_comes_untimed();
}

static void after_many_connections_the_events_are_gone(void **state)
{
	enum { MANY = 20 };
	struct closing closing;

	(void)state;
	set_up(0, MANY);
	for (int i = 0; i < MANY; i++) {
		assert_int_equal(events_attached(), EVENTS);
		closing = open_one();
		close_both(&closing);
		assert_timed(&closing);
	}
	poll_once(0);
	assert_comes_untimed();
}

/* However many connections come in between: else the events would come and go with each. */
static void who_lingers_every_second_keeps_the_events(void **state)
{
	struct closing closing;

	(void)state;
	set_up(0, 5);
	for (int i = 0; i < 20; i++) {
		closing = open_one();
		if (!i)
			set_linger(closing.server, 1);
		close_both(&closing);
		assert_timed(&closing);
	}
	assert_int_equal(events_attached(), EVENTS);
}

/* The tracer sleeps for longer than the close() blocks: it has to be woken. */
static void the_first_lingering_close_after_it_is_timed(void **state)
{
	struct closing closing, plain;
	pthread_t thread;

	(void)state;
	set_up(500 * NS_PER_MS, 0);
	poll_until_events(0);
	closing = open_one();
	plain = open_one();
	fill(closing.server);
	set_linger(closing.server, 1);
	thread = close_elsewhere(&closing);
	poll_once(3000);
	assert_int_equal(pthread_join(thread, NULL), 0);
	close_both(&plain);
	close(closing.client);
	assert_blocked_a_second(&closing);
	assert_timed(&plain);
	poll_until_events(0);
}

static int by_size(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return (a > b) - (a < b);
}

/* From the beginning of the call until the events are there. The peer's RST ends it then. */
static uint64_t time_until_timed(void)
{
	struct closing closing = open_one();
	pthread_t thread;
	uint64_t timed_at;

	poll_until_events(0);
	fill(closing.server);
	set_linger(closing.server, 20);
	thread = close_elsewhere(&closing);
	poll_once(5000);
	timed_at = clock_now_ns();
	assert_int_equal(events_attached(), EVENTS);
	close(closing.client);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_true(closing.took_ns < 5 * NS_PER_S);
	assert_timed(&closing);
	return timed_at - closing.began_at;
}

static void a_lingering_close_is_timed_soon_after_it_began(void **state)
{
	enum { TIMES = 25 };
	uint64_t times[TIMES];

	(void)state;
	set_up(20 * NS_PER_MS, 0);
	for (int i = 0; i < TIMES; i++)
		times[i] = time_until_timed();
	qsort(times, TIMES, sizeof(times[0]), by_size);
	print_message("# %d calls timed from so long after their beginning: median %.1f ms, at "
		      "most "
		      "%.1f ms\n",
		      TIMES, (double)times[TIMES / 2] / NS_PER_MS,
		      (double)times[TIMES - 1] / NS_PER_MS);
	assert_true(times[TIMES / 2] < 500 * NS_PER_MS * trace_slowness());
}

static void a_close_that_blocks_past_the_quiet_time_is_timed(void **state)
{
	(void)state;
	set_up(30 * NS_PER_MS, 1);
	for (int was_off = 0; was_off <= 1; was_off++) {
		struct closing closing = open_one();
		pthread_t thread;

		fill(closing.server);
		set_linger(closing.server, 1);
		if (was_off)
			poll_until_events(0);
		thread = close_elsewhere(&closing);
		poll_for(600 * NS_PER_MS);
		assert_int_equal(events_attached(), EVENTS);
		poll_for(700 * NS_PER_MS);
		assert_int_equal(pthread_join(thread, NULL), 0);
		close(closing.client);
		assert_blocked_a_second(&closing);
	}
}

/* Nobody sees them return, nor their threads in any other call: user space looks when they have. */
static void lingering_closes_that_return_at_once(void **state)
{
	enum { TIMES = 10, AT_ONCE = 4 };

	(void)state;
	set_up(10 * NS_PER_MS, 0);
	for (int i = 0; i < TIMES; i++) {
		struct closing closings[AT_ONCE];
		pthread_t threads[AT_ONCE];

		poll_until_events(0);
		for (int j = 0; j < AT_ONCE; j++) {
			closings[j] = open_one();
			set_linger(closings[j].server, 5);
			threads[j] = close_elsewhere(&closings[j]);
		}
		for (int j = 0; j < AT_ONCE; j++) {
			assert_int_equal(pthread_join(threads[j], NULL), 0);
			close(closings[j].client);
		}
		for (int j = 0; j < AT_ONCE; j++)
			assert_not_overstated(&closings[j]);
		assert_int_equal(trace.count, (i + 1) * AT_ONCE);
	}
}

struct two_closes {
	struct closing followed;
	struct closing other; /* of no port that is traced */
};

static void *close_one_after_the_other(void *closes)
{
	struct two_closes *two = closes;

	close_timed(&two->followed);
	close_timed(&two->other);
	return NULL;
}

/* The events come while the thread is in its next close(): the return that they tell is that one's. */
static void the_return_of_the_next_close_is_not_taken_for_it(void **state)
{
	struct two_closes two;
	struct tcp_pair pair;
	pthread_t thread;

	(void)state;
	set_up(30 * NS_PER_MS, 0);
	two.followed = open_one();
	set_linger(two.followed.server, 5);
	pair = tcp_pair_open();
	two.other = (struct closing){ .server = pair.server, .client = pair.client };
	fill(two.other.server);
	set_linger(two.other.server, 1);
	poll_until_events(0);
	assert_int_equal(pthread_create(&thread, NULL, close_one_after_the_other, &two), 0);
	usleep(200000);
	close(two.followed.client);
	poll_for(1200 * NS_PER_MS);
	assert_int_equal(pthread_join(thread, NULL), 0);
	close(two.other.client);
	assert_not_overstated(&two.followed);
	assert_int_equal(trace.count, 1);
}

/* Of the test with many threads: one of them. Nothing is asserted outside of the test's own thread. */
struct closer {
	pthread_t thread;
	unsigned int number;
	uint64_t until;
	struct closing *closings;
	size_t count;
	bool failed;
};

enum { CLOSINGS_MOST = 20000 };

/* Mostly none at all, now and then one that returns at once, seldom one that waits for its second. */
static void choose_linger(const struct closer *closer, int fd)
{
	struct linger linger = { .l_onoff = 1, .l_linger = 1 };

	if (closer->number < 2 && closer->count % 512 == 128)
		fill(fd);
	else if (closer->count % 64 != closer->number * 8)
		return;
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

static bool close_another(struct closer *closer)
{
	struct closing *closing = &closer->closings[closer->count];
	socklen_t length = sizeof(closing->cookie);
	struct sockaddr_storage address;
	socklen_t address_length = sizeof(address);

	if (getsockname(listeners[closer->number], (struct sockaddr *)&address, &address_length))
		return false;
	closing->client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(closing->client, (struct sockaddr *)&address, address_length))
		return false;
	closing->server = accept(listeners[closer->number], NULL, NULL);
	if (getsockopt(closing->server, SOL_SOCKET, SO_COOKIE, &closing->cookie, &length))
		return false;
	choose_linger(closer, closing->server);
	close_both(closing);
	closer->count++;
	return true;
}

static void *run_closer(void *context)
{
	struct closer *closer = context;
	unsigned int seed = closer->number;

	while (clock_now_ns() < closer->until && closer->count < CLOSINGS_MOST && !closer->failed) {
		closer->failed = !close_another(closer);
		usleep((unsigned int)rand_r(&seed) % 3000);
	}
	return NULL;
}

/* Returns how often the events came or went meanwhile. */
static int poll_while_closing(uint64_t until)
{
	int switches = 0, before = events_attached();

	while (clock_now_ns() < until) {
		int now = events_attached();

		switches += now != before;
		before = now;
		poll_once(1);
	}
	return switches;
}

static void assert_rows_are_those_of(const struct closer *closer)
{
	assert_false(closer->failed);
	for (size_t i = 0; i < closer->count; i++) {
		const struct closing *closing = &closer->closings[i];
		const struct close_record *record = trace_find(&trace, closing->cookie);

		assert_non_null(record);
		assert_true(record->flags & CLOSE_CALLED);
		/* A hold that was released twice would have let it go before its end. */
		assert_true(record->end == CLOSE_END_FIN ||
			    record->end == CLOSE_END_RESET_RECEIVED);
		assert_true(record->close_call_ns == CLOSE_TRACE_UNKNOWN ||
			    record->close_call_ns <= closing->took_ns);
	}
}

static void many_threads_close_while_the_events_come_and_go(void **state)
{
	uint64_t until = clock_now_ns() + 4 * NS_PER_S;
	struct closer closers[THREADS] = { 0 };
	struct tracer_counts counts;
	size_t connections = 0;
	int switches;

	(void)state;
	set_up(3 * NS_PER_MS, 0);
	for (unsigned int i = 0; i < THREADS; i++) {
		closers[i].number = i;
		closers[i].until = until;
		closers[i].closings = calloc(CLOSINGS_MOST, sizeof(closers[i].closings[0]));
		assert_non_null(closers[i].closings);
		assert_int_equal(pthread_create(&closers[i].thread, NULL, run_closer, &closers[i]),
				 0);
	}
	switches = poll_while_closing(until);
	for (int i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(closers[i].thread, NULL), 0);
		connections += closers[i].count;
	}
	poll_until_events(0);
	assert_int_equal(tracer_finish(trace.tracer), 0);
	tracer_get_counts(trace.tracer, &counts);
	print_message("# %zu connections, the events came or went %d times\n", connections,
		      switches);
	assert_true(switches >= 4);
	/* With one row for each cookie, and no more rows than cookies, there is none twice. */
	assert_int_equal(trace.count, connections);
	assert_int_equal(counts.followed, connections);
	for (int i = 0; i < THREADS; i++) {
		assert_rows_are_those_of(&closers[i]);
		free(closers[i].closings);
	}
}

static int run_group(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(at_the_start_every_close_is_timed, tear_down),
		cmocka_unit_test_teardown(after_a_quiet_time_the_events_are_gone, tear_down),
		cmocka_unit_test_teardown(after_many_connections_the_events_are_gone, tear_down),
		cmocka_unit_test_teardown(who_lingers_every_second_keeps_the_events, tear_down),
		cmocka_unit_test_teardown(the_first_lingering_close_after_it_is_timed, tear_down),
		cmocka_unit_test_teardown(a_lingering_close_is_timed_soon_after_it_began,
					  tear_down),
		cmocka_unit_test_teardown(a_close_that_blocks_past_the_quiet_time_is_timed,
					  tear_down),
		cmocka_unit_test_teardown(lingering_closes_that_return_at_once, tear_down),
		cmocka_unit_test_teardown(the_return_of_the_next_close_is_not_taken_for_it,
					  tear_down),
		cmocka_unit_test_teardown(many_threads_close_while_the_events_come_and_go,
					  tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	return trace_run_tests(run_group);
}
