/* SPDX-License-Identifier: MIT */
#include "lingerbench/strategy.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

static int finish(int fd, const struct strategy_settings *settings)
{
	int seconds = (int)settings->tcp_linger2_s;

	setsockopt(fd, IPPROTO_TCP, TCP_LINGER2, &seconds, sizeof(seconds));
	close(fd);
	return 0;
}

const struct strategy strategy_tcp_linger2 = {
	.name = "tcp_linger2",
	.summary = "close() whose orphan leaves FIN_WAIT_2 after tcp-linger2",
	.finish = finish,
};
