/* SPDX-License-Identifier: MIT */
#include "lingerbench/strategy.h"

#include <sys/socket.h>
#include <unistd.h>

static int finish(int fd, const struct strategy_settings *settings)
{
	const struct linger reset = { .l_onoff = 1, .l_linger = 0 };

	(void)settings;
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(fd);
	return 0;
}

const struct strategy strategy_so_linger_reset = {
	.name = "so_linger_reset",
	.summary = "close() with l_linger 0: RST at once",
	.finish = finish,
};
