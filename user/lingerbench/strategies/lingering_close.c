/* SPDX-License-Identifier: MIT */
#include "lingerbench/strategy.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"

enum { APACHE_READ_BYTES = 512 };

/* Milliseconds from now to the earlier of the two deadlines, rounded up; 0: one has passed. */
static int time_left_ms(uint64_t idle_deadline, uint64_t total_deadline)
{
	uint64_t deadline = idle_deadline < total_deadline ? idle_deadline : total_deadline;
	uint64_t now = clock_now_ns();

	return now >= deadline ? 0 : (int)((deadline - now + NS_PER_MS - 1) / NS_PER_MS);
}

void strategy_linger_natively(int fd, const struct strategy_settings *settings)
{
	char discarded[APACHE_READ_BYTES];
	uint64_t now = clock_now_ns();
	uint64_t total_deadline = now + settings->total_timeout_ns;
	uint64_t idle_deadline = now + settings->idle_timeout_ns;

	if (shutdown(fd, SHUT_WR)) {
		close(fd);
		return;
	}
	for (;;) {
		struct pollfd readable = { .fd = fd, .events = POLLIN };
		int left_ms = time_left_ms(idle_deadline, total_deadline);
		int ready = left_ms ? poll(&readable, 1, left_ms) : 0;

		if (ready < 0 && errno == EINTR)
			continue;
		if (ready <= 0 || recv(fd, discarded, sizeof(discarded), 0) <= 0)
			break;
		idle_deadline = clock_now_ns() + settings->idle_timeout_ns;
	}
	close(fd);
}

static int finish(int fd, const struct strategy_settings *settings)
{
	strategy_linger_natively(fd, settings);
	return 0;
}

const struct strategy strategy_lingering_close = {
	.name = "lingering_close",
	.summary = "Apache's: half-close, drain until the FIN or a timeout, close",
	.waits_for_peer = true,
	.finish = finish,
};
