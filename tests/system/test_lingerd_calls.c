/* SPDX-License-Identifier: MIT */
/* Calls in a ring do what calls one by one do, on whatever descriptor. */
#include "lingerd/calls.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <fcntl.h>
#include <netinet/in.h>

#include "tests/support/tcp.h"

enum { SPECIMENS = 7, KINDS = 3 };

static const enum call_kind kinds[KINDS] = { CALL_PROTOCOL, CALL_LINGER, CALL_DISCARD };

/* One of each sort; what has been read of it is there anew. */
static void make_specimens(int fds[SPECIMENS], struct tcp_pair pairs[3])
{
	const struct linger armed = { .l_onoff = 1, .l_linger = 5 }, reset = { .l_onoff = 1 };
	int ends[2];

	for (int i = 0; i < 3; i++) {
		pairs[i] = tcp_pair_open();
		fds[i] = pairs[i].server;
	}
	/* Silent; with data; with data and a FIN. */
	assert_int_equal(tcp_write(pairs[1].client, 1000), 0);
	assert_int_equal(tcp_write(pairs[2].client, 1), 0);
	shutdown(pairs[2].client, SHUT_WR);
	setsockopt(fds[1], SOL_SOCKET, SO_LINGER, &armed, sizeof(armed));
	setsockopt(fds[2], SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	fds[3] = ends[0];
	fds[4] = ends[1];
	assert_int_equal(pipe(ends), 0);
	fds[5] = ends[0];
	close(ends[1]);
	fds[6] = dup(fds[5]);
	close(fds[6]); /* none */
}

static void drop_specimens(const int fds[SPECIMENS], const struct tcp_pair pairs[3])
{
	for (int i = 0; i < SPECIMENS; i++)
		close(fds[i]);
	for (int i = 0; i < 3; i++)
		close(pairs[i].client);
}

static void make_all(struct call calls[SPECIMENS * KINDS], const int fds[SPECIMENS])
{
	for (int i = 0; i < SPECIMENS * KINDS; i++)
		calls[i] = (struct call){ .kind = kinds[i % KINDS], .fd = fds[i / KINDS] };
	calls_make(calls, SPECIMENS * KINDS);
}

static void both_ways_say_the_same(void **state)
{
	struct call alone[SPECIMENS * KINDS], joined[SPECIMENS * KINDS];
	struct tcp_pair pairs[3];
	int fds[SPECIMENS];

	(void)state;
	if (!ring_open())
		skip(); /* no io_uring here, or one from before 6.1 */
	make_specimens(fds, pairs);
	make_all(joined, fds);
	drop_specimens(fds, pairs);
	ring_close();
	assert_false(ring_is_open());
	make_specimens(fds, pairs);
	make_all(alone, fds);
	drop_specimens(fds, pairs);
	for (int i = 0; i < SPECIMENS * KINDS; i++) {
		if (alone[i].result != joined[i].result)
			print_message("# descriptor %d, call %d: %zd, in the ring %zd\n", i / KINDS,
				      (int)kinds[i % KINDS], alone[i].result, joined[i].result);
		assert_true(alone[i].result == joined[i].result);
	}
	assert_int_equal(alone[0].result, IPPROTO_TCP);
	assert_int_equal(alone[KINDS + 1].result, 1); /* armed; a reset does not wait */
	assert_int_equal(alone[2 * KINDS + 1].result, 0);
	assert_int_equal(alone[KINDS + 2].result, 1000);
}

/* The last but one of all that a batch may have, and each is closed once. */
static void a_full_batch_is_closed(void **state)
{
	struct call calls[CALLS_MAX];

	(void)state;
	if (!ring_open())
		skip();
	for (int i = 0; i < CALLS_MAX; i++)
		calls[i] = (struct call){ .kind = CALL_CLOSE, .fd = open("/dev/null", O_RDONLY) };
	calls[7].fd = -1;
	calls_make(calls, CALLS_MAX);
	for (int i = 0; i < CALLS_MAX; i++) {
		assert_int_equal(calls[i].result, i == 7 ? -EBADF : 0);
		assert_int_equal(fcntl(calls[i].fd, F_GETFD), -1);
	}
	ring_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_ways_say_the_same),
		cmocka_unit_test(a_full_batch_is_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
