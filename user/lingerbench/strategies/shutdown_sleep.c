/* SPDX-License-Identifier: MIT */
#include "lingerbench/strategy.h"

#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"

static int finish(int fd, const struct strategy_settings *settings)
{
	struct timespec left = { .tv_sec = (time_t)(settings->sleep_ns / NS_PER_S),
				 .tv_nsec = (long)(settings->sleep_ns % NS_PER_S) };

	if (!shutdown(fd, SHUT_WR))
		nanosleep(&left, NULL);
	close(fd);
	return 0;
}

const struct strategy strategy_shutdown_sleep = {
	.name = "shutdown_sleep",
	.summary = "Go's: half-close, sleep without reading anything, close",
	.sleeps = true,
	.finish = finish,
};
