/* SPDX-License-Identifier: MIT */
/*
 * What goes on while a service is restarted. Its daemon resets what it gives up, so that a client sees when that is.
 *
 * load hold COUNT SECONDS: hands COUNT connections over whose clients say nothing. Exits with 0 when each of them has been
 *	given up, not sooner than SECONDS after its handoff and at most one later.
 * load serve RATE: serves RATE connections a second to clients that still send, hands them over, and lingers for
 *	itself what is not taken, until there is a line to read. Exits with 0 if every response was whole.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linger.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { RESPONSE = 2000, HELD_MAX = 10000 };

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static struct sockaddr_in listen_anywhere(int *ret_listener)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof(address);

	*ret_listener = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(*ret_listener, (struct sockaddr *)&address, length) || listen(*ret_listener, 64) ||
	    getsockname(*ret_listener, (struct sockaddr *)&address, &length))
		abort();
	return address;
}

static int connect_to(const struct sockaddr_in *address)
{
	int client = socket(AF_INET, SOCK_STREAM, 0);

	if (client < 0 || connect(client, (const struct sockaddr *)address, sizeof(*address)))
		abort();
	return client;
}

static int hold(int count, double seconds)
{
	static double before[HELD_MAX], after[HELD_MAX];
	static int clients[HELD_MAX];
	double earliest = 1e9, latest = 0;
	struct linger_client *daemon;
	int listener, epoll = epoll_create1(0), ended = 0;
	struct sockaddr_in address = listen_anywhere(&listener);

	if (count > HELD_MAX || linger_client_open(&daemon, LINGER_DEFAULT_SOCKET))
		return 1;
	for (int i = 0; i < count; i++) {
		struct epoll_event event = { .data.u32 = (uint32_t)i }; /* but for errors */
		int server, error;

		clients[i] = connect_to(&address);
		server = accept(listener, NULL, NULL);
		do
			before[i] = now();
		while ((error = linger_handoff(daemon, server)) == -EAGAIN);
		after[i] = now();
		if (error || epoll_ctl(epoll, EPOLL_CTL_ADD, clients[i], &event))
			return 2;
		close(server);
	}
	while (ended < count) {
		struct epoll_event events[256];
		int got = epoll_wait(epoll, events, 256, 60000);

		if (got <= 0)
			break;
		for (int i = 0; i < got; i++) {
			uint32_t which = events[i].data.u32;

			if (now() - before[which] < earliest)
				earliest = now() - before[which];
			if (now() - after[which] > latest)
				latest = now() - after[which];
			epoll_ctl(epoll, EPOLL_CTL_DEL, clients[which], NULL);
		}
		ended += got;
	}
	printf("%d of %d given up %.3f to %.3f s after their handoff\n", ended, count, earliest,
	       latest);
	return ended == count && earliest >= seconds && latest <= seconds + 1 ? 0 : 3;
}

static int is_whole(int client)
{
	char bytes[RESPONSE];
	size_t have = 0;
	ssize_t n;

	while ((n = recv(client, bytes, sizeof(bytes), 0)) > 0)
		have += (size_t)n;
	return n == 0 && have == RESPONSE;
}

static int serve(double rate)
{
	static const char response[RESPONSE], question[300];
	struct linger_client *daemon;
	struct pollfd line = { .fd = STDIN_FILENO, .events = POLLIN };
	int listener, served = 0, kept = 0, broken = 0;
	struct sockaddr_in address = listen_anywhere(&listener);
	double began = now();

	if (linger_client_open(&daemon, LINGER_DEFAULT_SOCKET))
		return 1;
	for (int i = 0; poll(&line, 1, 0) == 0; i++) {
		double wait = began + i / rate - now();
		int client, server;

		if (wait > 0)
			usleep((useconds_t)(wait * 1e6));
		client = connect_to(&address);
		server = accept(listener, NULL, NULL);
		if (send(client, question, sizeof(question), 0) < 0 ||
		    send(server, response, RESPONSE, 0) < 0)
			return 2;
		if (linger_handoff(daemon, server)) {
			kept++;
			shutdown(server, SHUT_WR);
			close(client);
			close(server);
			continue;
		}
		close(server);
		if (send(client, question, sizeof(question), MSG_NOSIGNAL) < 0 || !is_whole(client))
			broken++;
		close(client);
		served++;
	}
	printf("%d handed over in %.1f s, %d kept, %d responses broken\n", served, now() - began,
	       kept, broken);
	return broken ? 3 : 0;
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "hold"))
		return hold(atoi(argv[2]), atof(argv[3]));
	if (argc == 3 && !strcmp(argv[1], "serve"))
		return serve(atof(argv[2]));
	return 9;
}
