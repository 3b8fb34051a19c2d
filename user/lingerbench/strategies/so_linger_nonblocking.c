/* SPDX-License-Identifier: MIT */
#include "lingerbench/strategy.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

static int finish(int fd, const struct strategy_settings *settings)
{
	const struct linger wait = { .l_onoff = 1, .l_linger = (int)settings->so_linger_s };

	/* Linux does not look at it: close() blocks all the same. */
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &wait, sizeof(wait));
	close(fd);
	return 0;
}

const struct strategy strategy_so_linger_nonblocking = {
	.name = "so_linger_nonblocking",
	.summary = "so_linger on an O_NONBLOCK socket; close() blocks all the same",
	.finish = finish,
};
