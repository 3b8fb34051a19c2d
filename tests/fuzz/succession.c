/* SPDX-License-Identifier: MIT */
/*
 * Any state that another process has left: what can be read goes on, everything is closed in the end, and the
 * books are balanced. The first byte of an input says how many descriptors come along, the rest is a datagram of the
 * queue.
 */
#include <sys/epoll.h>

#include "lingerd/socket_io.h"
#include "lingerd/succession.h"
#include "tests/fuzz/fuzz.h"

enum { FD_NUMBERS = 64 };

static void fill(int queue, size_t count, const uint8_t *data, size_t size)
{
	int ends[2], fds[FUZZ_FDS_MAX];

	FUZZ_CHECK(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends));
	for (size_t i = 0; i < count; i++)
		fds[i] = ends[i & 1];
	send_with_fds(queue, data, size, fds, count);
	close(ends[0]);
	close(ends[1]);
}

static void take(int queue, int epoll)
{
	static const struct limits limits = { .connections = 24, .senders = 8, .reserve = 32 };
	struct succession left = { .count = 1, .queues = { queue } };
	struct socket_io io = { .watches = { .epoll = epoll }, .drain_table = -1 };
	struct linger_engine *engine;
	struct counters counters = { 0 };
	struct users users = { 0 };
	struct settings settings;
	uint32_t count;

	settings_default(&settings);
	FUZZ_CHECK(
		!linger_engine_new(&engine, FD_NUMBERS, &socket_linger_io, &io, &users, &counters));
	count = succession_take(&left, engine, &users, &settings, &limits, &counters);
	FUZZ_CHECK(counters.restored == count);
	linger_engine_expire(engine);
	linger_engine_end_all(engine, LINGER_SHUTDOWN);
	succession_cut(&left, &counters);
	FUZZ_CHECK(counters.lingers == 0 && left.count == 0);
	FUZZ_CHECK(counters_sum(&counters, COUNTER_END) == counters.restored);
	linger_engine_free(engine);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int open_before = count_fds(), ends[2];
	int epoll;

	if (!size)
		return 0;
	epoll = epoll_create1(EPOLL_CLOEXEC);
	FUZZ_CHECK(epoll >= 0 && !socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends));
	fill(ends[0], data[0] % (FUZZ_FDS_MAX + 1), data + 1, size - 1);
	close(ends[0]);
	take(ends[1], epoll);
	close(epoll);
	FUZZ_CHECK(count_fds() == open_before);
	return 0;
}
