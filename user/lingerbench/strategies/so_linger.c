/* SPDX-License-Identifier: MIT */
#include "lingerbench/strategy.h"

#include <sys/socket.h>
#include <unistd.h>

static int finish(int fd, const struct strategy_settings *settings)
{
	const struct linger wait = { .l_onoff = 1, .l_linger = (int)settings->so_linger_s };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &wait, sizeof(wait));
	close(fd);
	return 0;
}

const struct strategy strategy_so_linger = {
	.name = "so_linger",
	.summary = "close() that waits until the FIN is acknowledged, at most so-linger",
	.finish = finish,
};
