/* SPDX-License-Identifier: MIT */
/* For the checks of the preload library: one loopback connection that this process accepts itself. */
#ifndef TEST_PRELOAD_PAIR_H
#define TEST_PRELOAD_PAIR_H

#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct pair {
	int server; /* the accepted side, open across exec() */
	int client;
};

static struct pair open_pair(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t length = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct pair pair = { .client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(listener, (void *)&address, length) || listen(listener, 1) ||
	    getsockname(listener, (void *)&address, &length) ||
	    connect(pair.client, (void *)&address, length))
		_exit(2);
	pair.server = accept(listener, NULL, NULL);
	if (pair.server < 0)
		_exit(2);
	close(listener);
	return pair;
}

#endif
