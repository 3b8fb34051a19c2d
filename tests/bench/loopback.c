/* SPDX-License-Identifier: MIT */
#include "tests/bench/loopback.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ADDRESSES = 32 };

struct place {
	int fd; /* 0: not open yet */
	struct sockaddr_in address;
};

void bench_die(const char *doing)
{
	fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, doing, strerror(errno));
	exit(1);
}

uint64_t bench_now_ns(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return (uint64_t)time.tv_sec * 1000000000U + (uint64_t)time.tv_nsec;
}

void bench_sleep_ns(uint64_t ns)
{
	const struct timespec time = { .tv_sec = (time_t)(ns / 1000000000U),
				       .tv_nsec = (long)(ns % 1000000000U) };

	nanosleep(&time, NULL);
}

static void listen_at(struct place *place, uint32_t index)
{
	socklen_t length = sizeof(place->address);

	place->address =
		(struct sockaddr_in){ .sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + index) };
	place->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (place->fd < 0 || bind(place->fd, (struct sockaddr *)&place->address, length) ||
	    listen(place->fd, 128) ||
	    getsockname(place->fd, (struct sockaddr *)&place->address, &length))
		bench_die("listen");
}

struct pair bench_connect(void)
{
	static struct place places[ADDRESSES];
	static uint32_t next;
	struct place *place = &places[next % ADDRESSES];
	struct pair pair = { .client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };

	if (!place->fd)
		listen_at(place, next % ADDRESSES);
	next++;
	if (pair.client < 0 ||
	    connect(pair.client, (const struct sockaddr *)&place->address, sizeof(place->address)))
		bench_die("connect");
	pair.server = accept4(place->fd, NULL, NULL, SOCK_CLOEXEC);
	if (pair.server < 0)
		bench_die("accept");
	return pair;
}
