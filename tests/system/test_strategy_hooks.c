/* SPDX-License-Identifier: MIT */
/*
 * The contract of strategy.h, kept by every strategy that needs no daemon, whatever the peer does: each
 * connection that it was given is closed, once, and it wakes its worker by what it said it would.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "lingerbench/strategy.h"
#include "tests/support/lab.h"
#include "tests/support/process.h"
#include "tests/support/tcp.h"

enum { MANY = 200, LIMIT_S = 20 };

static const struct strategy_settings settings = { .so_linger_s = 1,
						   .tcp_linger2_s = 1,
						   .sleep_ns = 20 * NS_PER_MS,
						   .idle_timeout_ns = NS_PER_S,
						   .total_timeout_ns = 5 * NS_PER_S / 2 };

/* Those that can be had here, ending with NULL. */
static const struct strategy *tried[32];

static int prepare_all(void **state)
{
	size_t count = 0;

	(void)state;
	for (size_t i = 0; strategies[i]; i++) {
		const struct strategy *strategy = strategies[i];

		if (strategy->needs_lingerd ||
		    (!strcmp(strategy->name, "io_uring") && !lab_has_io_uring()))
			continue;
		if (strategy->prepare && strategy->prepare(&settings))
			return -1;
		tried[count++] = strategy;
	}
	return 0;
}

/* As a worker sleeps: until the descriptor or the time, and no longer than limit_ms. */
static void sleep_as_worker(const struct strategy_rest *rest, int limit_ms)
{
	struct pollfd event = { .fd = rest->fd, .events = POLLIN };
	uint64_t now = clock_now_ns();
	uint64_t left_ms = rest->next_ns > now ? (rest->next_ns - now) / NS_PER_MS + 1 : 0;

	if (rest->next_ns == UINT64_MAX || left_ms > (uint64_t)limit_ms)
		left_ms = (uint64_t)limit_ms;
	poll(&event, 1, (int)left_ms);
}

static size_t open_in(const struct strategy *strategy)
{
	struct strategy_rest rest;

	if (!strategy->go_on)
		return 0;
	strategy->go_on(&rest);
	return rest.open;
}

/* Sleeps only as the strategy says: one that forgets to say when it has to be woken never ends. */
static void go_on_to_the_end(const struct strategy *strategy)
{
	uint64_t limit = clock_now_ns() + LIMIT_S * NS_PER_S;
	struct strategy_rest rest;

	if (!strategy->go_on)
		return;
	for (strategy->go_on(&rest); rest.open; strategy->go_on(&rest)) {
		if (clock_now_ns() > limit)
			fail_msg("%s: %zu connections are still open", strategy->name, rest.open);
		sleep_as_worker(&rest, LIMIT_S * 1000);
	}
}

static void fin(int client)
{
	close(client);
}

static void data_and_fin(int client)
{
	assert_int_equal(tcp_write(client, 20000), 0);
	close(client);
}

static void reset(int client)
{
	const struct linger no_linger = { .l_onoff = 1, .l_linger = 0 };

	setsockopt(client, SOL_SOCKET, SO_LINGER, &no_linger, sizeof(no_linger));
	close(client);
}

static void silence(int client)
{
	(void)client;
}

/* By then the descriptor's number is somebody else's: a second close() would take it away. */
static void nothing_is_closed_twice(const struct strategy *strategy, int fd)
{
	int other = open("/dev/null", O_RDONLY | O_CLOEXEC);

	assert_int_equal(dup2(other, fd), fd);
	open_in(strategy);
	assert_int_not_equal(fcntl(fd, F_GETFD), -1);
	assert_int_equal(open_in(strategy), 0);
	close(other);
	close(fd);
}

static void end_one(const struct strategy *strategy, void (*peer)(int client))
{
	int before = process_fd_count(getpid());
	struct tcp_pair pair = tcp_pair_open();

	peer(pair.client);
	assert_int_equal(strategy->finish(pair.server, &settings), 0);
	go_on_to_the_end(strategy);
	assert_int_equal(fcntl(pair.server, F_GETFD), -1);
	if (peer == silence)
		close(pair.client);
	nothing_is_closed_twice(strategy, pair.server);
	if (process_fd_count(getpid()) != before)
		fail_msg("%s: %d descriptors, %d before", strategy->name,
			 process_fd_count(getpid()), before);
}

static void each_closes_what_it_was_given(void **state)
{
	static void (*const peers[])(int) = { fin, data_and_fin, reset, silence };

	(void)state;
	for (size_t i = 0; tried[i]; i++)
		for (size_t p = 0; p < sizeof(peers) / sizeof(peers[0]); p++)
			end_one(tried[i], peers[p]);
}

static void end_many(const struct strategy *strategy)
{
	int before = process_fd_count(getpid());
	static struct tcp_pair pairs[MANY];
	uint64_t begun = clock_now_ns();

	for (size_t i = 0; i < MANY; i++)
		pairs[i] = tcp_pair_open();
	for (size_t i = 0; i < MANY; i++)
		assert_int_equal(strategy->finish(pairs[i].server, &settings), 0);
	/* One after the other they would have taken so many idle timeouts. */
	assert_true(clock_now_ns() - begun < MANY * settings.idle_timeout_ns / 4);
	assert_true(open_in(strategy) > 0);
	/* Half of the peers close, the others are given up. */
	for (size_t i = 0; i < MANY; i += 2)
		close(pairs[i].client);
	go_on_to_the_end(strategy);
	for (size_t i = 1; i < MANY; i += 2)
		close(pairs[i].client);
	assert_int_equal(process_fd_count(getpid()), before);
}

static void those_that_go_on_do_so_with_many(void **state)
{
	(void)state;
	for (size_t i = 0; tried[i]; i++)
		if (tried[i]->go_on)
			end_many(tried[i]);
}

/* A byte every 100 ms: never idle, and given up all the same when the whole time is over. */
static void trickle(const struct strategy *strategy)
{
	int before = process_fd_count(getpid());
	struct tcp_pair pair = tcp_pair_open();
	uint64_t begun = clock_now_ns(), last_byte = begun, lasted;
	uint64_t longest_pause = 0;
	struct strategy_rest rest;

	assert_int_equal(strategy->finish(pair.server, &settings), 0);
	for (strategy->go_on(&rest); rest.open; strategy->go_on(&rest)) {
		uint64_t now = clock_now_ns();

		assert_true(now - begun < LIMIT_S * NS_PER_S);
		if (now - last_byte >= 100 * NS_PER_MS) {
			if (now - last_byte > longest_pause)
				longest_pause = now - last_byte;
			assert_int_equal(tcp_write(pair.client, 1), 0);
			last_byte = now;
		}
		sleep_as_worker(&rest, 10);
	}
	lasted = clock_now_ns() - begun;
	/* On a machine that stopped the test for so long, the peer was idle. */
	if (longest_pause < settings.idle_timeout_ns / 2)
		assert_true(lasted >= settings.total_timeout_ns);
	assert_true(lasted >= settings.idle_timeout_ns);
	close(pair.client);
	assert_int_equal(process_fd_count(getpid()), before);
}

static void those_that_go_on_give_a_trickler_up(void **state)
{
	(void)state;
	for (size_t i = 0; tried[i]; i++)
		if (tried[i]->go_on)
			trickle(tried[i]);
}

static void all_were_tried(void **state)
{
	size_t go_on = 0;

	(void)state;
	for (size_t i = 0; tried[i]; i++)
		go_on += tried[i]->go_on != NULL;
	assert_true(go_on > 0);
	if (!lab_has_io_uring()) {
		print_message(
			"# SKIP: io_uring is not allowed here, or the kernel is older than 6.1\n");
		skip();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_closes_what_it_was_given),
		cmocka_unit_test(those_that_go_on_do_so_with_many),
		cmocka_unit_test(those_that_go_on_give_a_trickler_up),
		cmocka_unit_test(all_were_tried),
	};

	return cmocka_run_group_tests(tests, prepare_all, NULL);
}
