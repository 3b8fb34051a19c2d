/* SPDX-License-Identifier: MIT */
/* Whether connections say that they are ready: alike in the ring and in the epoll set; and what the ring is allowed to do. */
#include "lingerd/ring.c"
#include "lingerd/watches.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "tests/support/tcp.h"

enum { SIZE = 16384, SOON_MS = 5000, NOW_MS = 0 };

static void begin(struct watches *watches, bool in_ring)
{
	*watches = (struct watches){ .epoll = epoll_create1(EPOLL_CLOEXEC) };
	assert_true(watches->epoll >= 0);
	if (!in_ring)
		return;
	if (!ring_open()) {
		close(watches->epoll);
		skip(); /* no io_uring here, or one from before 6.1 */
	}
	assert_int_equal(watches_use_ring(watches, SIZE), 0);
}

static void end(struct watches *watches)
{
	watches_free(watches);
	ring_close();
	close(watches->epoll);
}

/* As the daemon does: sleeps if there is nothing to do. The next one that is ready, or -1. */
static int next_within(struct watches *watches, int milliseconds)
{
	struct epoll_event event;
	int fd = -1, count;

	if (watches_take_ready(watches, &fd, 1))
		return fd;
	count = epoll_wait(watches->epoll, &event, 1, watches_sleep(watches) ? milliseconds : 0);
	watches_wake(watches);
	if (count == 1 && event_source(&event) == EVENT_LINGER)
		return event_fd(&event);
	watches_take_ready(watches, &fd, 1);
	return fd;
}

static void close_pair(const struct tcp_pair *pair)
{
	close(pair->server);
	close(pair->client);
}

static void reset(int fd)
{
	const struct linger linger = { .l_onoff = 1 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close(fd);
}

static void says_when_something_comes(bool in_ring)
{
	struct watches watches;
	struct tcp_pair pairs[3];

	begin(&watches, in_ring);
	for (int i = 0; i < 3; i++) {
		pairs[i] = tcp_pair_open();
		assert_int_equal(watches_add(&watches, pairs[i].server, true), 0);
	}
	assert_int_equal(next_within(&watches, NOW_MS), -1);
	assert_int_equal(tcp_write(pairs[1].client, 1), 0);
	assert_int_equal(next_within(&watches, SOON_MS), pairs[1].server);
	/* Once, whether it is read or not, until it is watched again. */
	assert_int_equal(next_within(&watches, NOW_MS), -1);
	shutdown(pairs[0].client, SHUT_WR);
	assert_int_equal(next_within(&watches, SOON_MS), pairs[0].server);
	reset(pairs[2].client);
	assert_int_equal(next_within(&watches, SOON_MS), pairs[2].server);
	assert_int_equal(next_within(&watches, NOW_MS), -1);
	for (int i = 0; i < 3; i++) {
		watches_remove(&watches, pairs[i].server);
		close(pairs[i].server);
	}
	close(pairs[0].client);
	close(pairs[1].client);
	end(&watches);
}

static void looks_anew_when_told_to(bool in_ring)
{
	struct watches watches;
	struct tcp_pair pair = tcp_pair_open();
	char byte;

	begin(&watches, in_ring);
	assert_int_equal(tcp_write(pair.client, 1), 0);
	/* There already. */
	assert_int_equal(watches_add(&watches, pair.server, true), 0);
	assert_int_equal(next_within(&watches, SOON_MS), pair.server);
	assert_int_equal(read(pair.server, &byte, 1), 1);
	watches_add_again(&watches, pair.server, true);
	assert_int_equal(next_within(&watches, NOW_MS), -1);
	assert_int_equal(tcp_write(pair.client, 1), 0);
	assert_int_equal(next_within(&watches, SOON_MS), pair.server);
	/* It rests: what comes is not told before it is watched. */
	watches_pause(&watches, pair.server);
	assert_int_equal(tcp_write(pair.client, 1), 0);
	assert_int_equal(next_within(&watches, NOW_MS), -1);
	assert_int_equal(watches_add(&watches, pair.server, true), 0);
	assert_int_equal(next_within(&watches, SOON_MS), pair.server);
	watches_remove(&watches, pair.server);
	close_pair(&pair);
	end(&watches);
}

static void tells_of_the_end_alone(bool in_ring)
{
	struct watches watches;
	struct tcp_pair pair = tcp_pair_open();

	begin(&watches, in_ring);
	assert_int_equal(watches_add(&watches, pair.server, false), 0);
	assert_int_equal(tcp_write(pair.client, 1), 0);
	assert_int_equal(next_within(&watches, 50), -1);
	shutdown(pair.client, SHUT_WR);
	assert_int_equal(next_within(&watches, SOON_MS), pair.server);
	watches_remove(&watches, pair.server);
	close_pair(&pair);
	end(&watches);
}

/* Closed, it is gone at once, and its number means another one from then on. */
static void lets_go_of_what_is_removed(bool in_ring)
{
	struct watches watches;
	struct tcp_pair pairs[2], other;
	int fd, byte;

	begin(&watches, in_ring);
	for (int i = 0; i < 2; i++) {
		pairs[i] = tcp_pair_open();
		assert_int_equal(watches_add(&watches, pairs[i].server, true), 0);
	}
	/* One is waiting in the kernel by then, the other was never taken by it. */
	assert_int_equal(next_within(&watches, NOW_MS), -1);
	watches_remove(&watches, pairs[1].server);
	assert_int_equal(watches_add(&watches, pairs[1].server, true), 0);
	for (int i = 0; i < 2; i++) {
		watches_remove(&watches, pairs[i].server);
		watches_remove(&watches, pairs[i].server);
		reset(pairs[i].server);
		assert_int_equal(recv(pairs[i].client, &byte, 1, 0), -1);
		assert_int_equal(errno, ECONNRESET);
		close(pairs[i].client);
	}
	fd = pairs[0].server;
	other = tcp_pair_open();
	assert_int_equal(dup2(other.server, fd), fd);
	assert_int_equal(watches_add(&watches, fd, true), 0);
	assert_int_equal(next_within(&watches, NOW_MS), -1);
	assert_int_equal(tcp_write(other.client, 1), 0);
	assert_int_equal(next_within(&watches, SOON_MS), fd);
	watches_remove(&watches, fd);
	close(fd);
	if (other.server != fd)
		close(other.server);
	close(other.client);
	end(&watches);
}

/* It was ready, and nobody had taken it. */
static void forgets_who_is_removed_when_ready(bool in_ring)
{
	struct watches watches;
	struct tcp_pair pairs[2];

	begin(&watches, in_ring);
	for (int i = 0; i < 2; i++) {
		pairs[i] = tcp_pair_open();
		assert_int_equal(tcp_write(pairs[i].client, 1), 0);
		assert_int_equal(watches_add(&watches, pairs[i].server, true), 0);
	}
	watches_sleep(&watches);
	watches_remove(&watches, pairs[0].server);
	assert_int_equal(next_within(&watches, SOON_MS), pairs[1].server);
	assert_int_equal(next_within(&watches, NOW_MS), -1);
	watches_remove(&watches, pairs[1].server);
	close_pair(&pairs[0]);
	close_pair(&pairs[1]);
	end(&watches);
}

#define EITHER_WAY(test)                                                                           \
	static void test##_in_ring(void **state)                                                   \
	{                                                                                          \
		(void)state;                                                                       \
		test(true);                                                                        \
	}                                                                                          \
	static void test##_by_epoll(void **state)                                                  \
	{                                                                                          \
		(void)state;                                                                       \
		test(false);                                                                       \
	}

EITHER_WAY(says_when_something_comes)
EITHER_WAY(looks_anew_when_told_to)
EITHER_WAY(tells_of_the_end_alone)
EITHER_WAY(lets_go_of_what_is_removed)
EITHER_WAY(forgets_who_is_removed_when_ready)

/* More than the ring has room for ends. */
static void of_many_at_once_nobody_is_lost(void **state)
{
	enum { MANY = ENDS + 1000 };
	static bool told[SIZE];
	struct watches watches;
	int ends[2], fd, count = 0, first = -1, made = 0;

	(void)state;
	begin(&watches, true);
	assert_int_equal(pipe(ends), 0);
	for (; made < MANY; made++) {
		fd = fcntl(ends[0], F_DUPFD_CLOEXEC, 1000);
		if (fd < 0)
			fail_msg("%d descriptors: %s", made, strerror(errno));
		first = first < 0 ? fd : first;
		assert_int_equal(watches_add(&watches, fd, true), 0);
	}
	assert_int_equal(next_within(&watches, NOW_MS), -1);
	assert_int_equal(write(ends[1], "x", 1), 1);
	while ((fd = next_within(&watches, count < MANY ? SOON_MS : NOW_MS)) >= 0) {
		assert_false(told[fd]);
		told[fd] = true;
		count++;
	}
	assert_int_equal(count, MANY);
	for (fd = first; fd < first + MANY; fd++) {
		watches_remove(&watches, fd);
		close(fd);
	}
	close(ends[0]);
	close(ends[1]);
	end(&watches);
}

/* The kernel has more to do than ends: each of the others has had its FIN acknowledged, which wakes it for nothing. */
static void an_end_behind_wakes_for_nothing_is_told_at_once(void **state)
{
	enum { OTHERS = 400 };
	static struct tcp_pair pairs[OTHERS + 1];
	struct watches watches;

	(void)state;
	begin(&watches, true);
	for (int i = 0; i <= OTHERS; i++) {
		pairs[i] = tcp_pair_open();
		assert_int_equal(watches_add(&watches, pairs[i].server, true), 0);
	}
	assert_int_equal(next_within(&watches, NOW_MS), -1);
	for (int i = 0; i < OTHERS; i++)
		shutdown(pairs[i].server, SHUT_WR);
	shutdown(pairs[OTHERS].client, SHUT_WR);
	assert_int_equal(next_within(&watches, NOW_MS), pairs[OTHERS].server);
	assert_int_equal(next_within(&watches, NOW_MS), -1);
	for (int i = 0; i <= OTHERS; i++) {
		watches_remove(&watches, pairs[i].server);
		close_pair(&pairs[i]);
	}
	end(&watches);
}

/* The ring is gone for good: nothing hangs, and the others are watched all the same. */
static void without_its_ring_it_goes_on_by_epoll(void **state)
{
	struct watches watches;
	struct tcp_pair pairs[3];
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)state;
	begin(&watches, true);
	for (int i = 0; i < 3; i++) {
		pairs[i] = tcp_pair_open();
		assert_int_equal(watches_add(&watches, pairs[i].server, true), 0);
	}
	assert_int_equal(next_within(&watches, NOW_MS), -1);
	assert_int_equal(dup2(null, ring.uring.ring_fd), ring.uring.ring_fd);
	watches_remove(&watches, pairs[0].server);
	assert_false(ring_is_open());
	assert_int_equal(tcp_write(pairs[0].client, 1), 0);
	assert_int_equal(next_within(&watches, NOW_MS), -1);
	assert_int_equal(tcp_write(pairs[1].client, 1), 0);
	assert_int_equal(next_within(&watches, SOON_MS), pairs[1].server);
	watches_add_again(&watches, pairs[1].server, true);
	assert_int_equal(next_within(&watches, SOON_MS), pairs[1].server);
	shutdown(pairs[2].client, SHUT_WR);
	assert_int_equal(next_within(&watches, SOON_MS), pairs[2].server);
	for (int i = 1; i < 3; i++)
		watches_remove(&watches, pairs[i].server);
	for (int i = 0; i < 3; i++)
		close_pair(&pairs[i]);
	close(null);
	end(&watches);
}

static int last_result;

static void note_result(void *context, uint32_t number, int result)
{
	(void)context;
	(void)number;
	last_result = result;
}

static void the_ring_does_nothing_else(void **state)
{
	(void)state;
	if (!ring_open())
		skip();
	ring_tell(RING_CALLS, note_result, NULL);
	io_uring_prep_openat(ring_request(RING_CALLS, 0), AT_FDCWD, "/dev/null", O_RDONLY, 0);
	ring_run(false);
	assert_int_equal(last_result, -EACCES);
	ring_tell(RING_CALLS, NULL, NULL);
	ring_close();
}

/* As if for want of memory. */
static void what_the_kernel_does_not_take_is_tried_again(void **state)
{
	struct watches watches;
	struct tcp_pair pair = tcp_pair_open();

	(void)state;
	begin(&watches, true);
	assert_int_equal(watches_add(&watches, pair.server, true), 0);
	take_back();
	assert_int_equal(next_within(&watches, NOW_MS), pair.server);
	watches_add_again(&watches, pair.server, true);
	assert_int_equal(next_within(&watches, NOW_MS), -1);
	assert_int_equal(tcp_write(pair.client, 1), 0);
	assert_int_equal(next_within(&watches, SOON_MS), pair.server);
	watches_remove(&watches, pair.server);
	close_pair(&pair);
	end(&watches);
}

int main(void)
{
	const struct rlimit limit = { 8000, 8000 };
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_when_something_comes_in_ring),
		cmocka_unit_test(says_when_something_comes_by_epoll),
		cmocka_unit_test(looks_anew_when_told_to_in_ring),
		cmocka_unit_test(looks_anew_when_told_to_by_epoll),
		cmocka_unit_test(tells_of_the_end_alone_in_ring),
		cmocka_unit_test(tells_of_the_end_alone_by_epoll),
		cmocka_unit_test(lets_go_of_what_is_removed_in_ring),
		cmocka_unit_test(lets_go_of_what_is_removed_by_epoll),
		cmocka_unit_test(forgets_who_is_removed_when_ready_in_ring),
		cmocka_unit_test(forgets_who_is_removed_when_ready_by_epoll),
		cmocka_unit_test(of_many_at_once_nobody_is_lost),
		cmocka_unit_test(an_end_behind_wakes_for_nothing_is_told_at_once),
		cmocka_unit_test(without_its_ring_it_goes_on_by_epoll),
		cmocka_unit_test(the_ring_does_nothing_else),
		cmocka_unit_test(what_the_kernel_does_not_take_is_tried_again),
	};

	setrlimit(RLIMIT_NOFILE, &limit);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
