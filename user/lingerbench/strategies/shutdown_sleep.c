/* SPDX-License-Identifier: MIT */
#include "lingerbench/strategy.h"

#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"

static int finish(int fd, const struct strategy_settings *settings)
{
	if (!shutdown(fd, SHUT_WR))
		clock_sleep_ns(settings->sleep_ns);
	close(fd);
	return 0;
}

const struct strategy strategy_shutdown_sleep = {
	.name = "shutdown_sleep",
	.summary = "Go's: half-close, sleep without reading anything, close",
	.sleeps = true,
	.finish = finish,
};
