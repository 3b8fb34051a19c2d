/* SPDX-License-Identifier: MIT */
/*
 * The least that taking connections over and closing them can be, in one loop without books, checks or deadlines:
 *
 *	floor SOCKET fin COUNT	    recvmsg() one fd, recv(), close()
 *	floor SOCKET late COUNT	    the same with one epoll_ctl() and one epoll_wait() more, for FINs that come later
 *	floor SOCKET read SIZE	    takes one, and reads it to its end, SIZE bytes at a time
 *	floor SOCKET discard SIZE   the same with MSG_TRUNC
 *
 * Takes one sender, says "ready" before that, and at the end how many nanoseconds of CPU time all took since.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/bench/loopback.h"

static int accept_sender(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	int sender;

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof(address)) ||
	    listen(listener, 8))
		bench_die("listen");
	puts("ready");
	fflush(stdout);
	sender = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (sender < 0)
		bench_die("accept");
	return sender;
}

/* -1: the sender has closed. */
static int take(int sender)
{
	char bytes[64];
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec vector = { .iov_base = bytes, .iov_len = sizeof(bytes) };
	struct msghdr message = { .msg_iov = &vector,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = sizeof(control) };
	int fd;

	if (recvmsg(sender, &message, MSG_CMSG_CLOEXEC) <= 0 || !message.msg_controllen)
		return -1;
	memcpy(&fd, CMSG_DATA(&control.header), sizeof(fd));
	return fd;
}

static void take_ended(int sender, unsigned long count)
{
	char byte;

	for (unsigned long i = 0; i < count; i++) {
		int fd = take(sender);

		if (fd < 0 || recv(fd, &byte, 1, MSG_DONTWAIT) != 0)
			bench_die("a connection with the peer's FIN");
		close(fd);
	}
}

/* As many ends are waited for as there are connections: one for each, once some are on their way. */
static void take_late(int sender, unsigned long count)
{
	enum { ON_THEIR_WAY = 64 };
	struct epoll_event event = { .events = EPOLLIN };
	unsigned long taken = 0, ended = 0;
	int set = epoll_create1(EPOLL_CLOEXEC);
	char byte;

	while (ended < count) {
		int got;

		if (taken < count) {
			int fd = take(sender);

			if (fd < 0)
				bench_die("a connection");
			taken++;
			if (recv(fd, &byte, 1, MSG_DONTWAIT) == 0) {
				close(fd);
				ended++;
				continue;
			}
			event.data.fd = fd;
			epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
		}
		if (taken < count && taken - ended < ON_THEIR_WAY)
			continue;
		got = epoll_wait(set, &event, 1, -1);
		if (got == 1 && recv(event.data.fd, &byte, 1, MSG_DONTWAIT) == 0) {
			close(event.data.fd);
			ended++;
		}
	}
}

static void read_one(int sender, size_t size, int flags)
{
	char *buffer = malloc(size);
	int fd = take(sender);

	if (fd < 0 || !buffer)
		bench_die("a connection");
	while (recv(fd, buffer, size, flags) > 0)
		;
	close(fd);
	free(buffer);
}

int main(int argc, char **argv)
{
	unsigned long number = argc == 4 ? strtoul(argv[3], NULL, 10) : 0;
	uint64_t before;
	int sender;

	if (!number) {
		fprintf(stderr,
			"usage: floor SOCKET fin COUNT | late COUNT | read SIZE | discard SIZE\n");
		return 2;
	}
	sender = accept_sender(argv[1]);
	before = bench_now_ns(CLOCK_PROCESS_CPUTIME_ID);
	if (!strcmp(argv[2], "fin"))
		take_ended(sender, number);
	else if (!strcmp(argv[2], "late"))
		take_late(sender, number);
	else
		read_one(sender, number, strcmp(argv[2], "discard") ? 0 : MSG_TRUNC);
	printf("%llu\n", (unsigned long long)(bench_now_ns(CLOCK_PROCESS_CPUTIME_ID) - before));
	return 0;
}
