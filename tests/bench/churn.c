/* SPDX-License-Identifier: MIT */
/*
 * churn PORT CONNECTIONS: opens and closes connections to itself on loopback, one after the other, as fast as one
 * thread can. Each carries a request and a response of some bytes; the server closes first, in order. Prints the
 * nanoseconds per connection: of the clock, and of CPU time.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static uint64_t now_ns(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return (uint64_t)time.tv_sec * 1000000000U + (uint64_t)time.tv_nsec;
}

static void die(const char *call)
{
	fprintf(stderr, "churn: %s: %s\n", call, strerror(errno));
	exit(1);
}

static int tcp_socket(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		die("socket");
	return fd;
}

static int listen_on(struct sockaddr_in *address)
{
	int fd = tcp_socket(), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)address, sizeof(*address)) || listen(fd, 16))
		die("listen");
	return fd;
}

static void one_connection(int listener, const struct sockaddr_in *address)
{
	static const char request[64], response[512];
	char buffer[1024];
	int client = tcp_socket(), server;

	if (connect(client, (const struct sockaddr *)address, sizeof(*address)))
		die("connect");
	server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (server < 0)
		die("accept4");
	if (send(client, request, sizeof(request), 0) != (ssize_t)sizeof(request) ||
	    recv(server, buffer, sizeof(buffer), 0) != (ssize_t)sizeof(request) ||
	    send(server, response, sizeof(response), 0) != (ssize_t)sizeof(response))
		die("request");
	close(server);
	while (recv(client, buffer, sizeof(buffer), 0) > 0)
		;
	close(client);
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	uint64_t wall, cpu;
	long connections;
	int listener;

	if (argc != 3 || (connections = atol(argv[2])) <= 0) {
		fprintf(stderr, "usage: churn PORT CONNECTIONS\n");
		return 2;
	}
	address.sin_port = htons((uint16_t)atoi(argv[1]));
	listener = listen_on(&address);
	wall = now_ns(CLOCK_MONOTONIC);
	cpu = now_ns(CLOCK_PROCESS_CPUTIME_ID);
	for (long i = 0; i < connections; i++)
		one_connection(listener, &address);
	cpu = now_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	wall = now_ns(CLOCK_MONOTONIC) - wall;
	printf("%.1f %.1f\n", (double)wall / (double)connections,
	       (double)cpu / (double)connections);
	return 0;
}
