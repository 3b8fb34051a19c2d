/* SPDX-License-Identifier: MIT */
/*
 * The least that taking connections over and closing them can be, in one loop without books, checks or deadlines:
 *
 *	floor SOCKET fin COUNT	    recvmsg() one fd, recv(), close()
 *	floor SOCKET late COUNT	    the same with one epoll_ctl() and one epoll_wait() more, for FINs that come later
 *	floor SOCKET batch COUNT    the first one in batches of up to 16, with a rest of a millisecond after each
 *	floor SOCKET ring COUNT	    the same, and recv() and close() of a batch are one call of io_uring
 *	floor SOCKET read SIZE	    takes one, and reads it to its end, SIZE bytes at a time
 *	floor SOCKET discard SIZE   the same with MSG_TRUNC
 *
 * Takes one sender, says "ready" before that, and at the end how many nanoseconds of CPU time all took since.
 */
#include <errno.h>
#include <liburing.h>
#include <stdbool.h>
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

enum { BATCH = 16 };

/* What there is, up to a batch; waits for the first one. */
static int take_batch(int sender, int fds[BATCH])
{
	static char bytes[BATCH][64];
	static union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} controls[BATCH];
	struct mmsghdr messages[BATCH] = { 0 };
	struct iovec vectors[BATCH];
	int count;

	for (int i = 0; i < BATCH; i++) {
		vectors[i] = (struct iovec){ .iov_base = bytes[i], .iov_len = sizeof(bytes[i]) };
		messages[i].msg_hdr = (struct msghdr){ .msg_iov = &vectors[i],
						       .msg_iovlen = 1,
						       .msg_control = &controls[i],
						       .msg_controllen = sizeof(controls[i]) };
	}
	count = recvmmsg(sender, messages, BATCH, MSG_CMSG_CLOEXEC | MSG_WAITFORONE, NULL);
	if (count <= 0 || !messages[0].msg_hdr.msg_controllen)
		bench_die("a connection");
	/* Behind the last one, the end of the connection fills the batch up. */
	while (!messages[count - 1].msg_len)
		count--;
	for (int i = 0; i < count; i++)
		memcpy(&fds[i], CMSG_DATA(&controls[i].header), sizeof(int));
	return count;
}

static void end_each(const int *fds, int count)
{
	char byte;

	for (int i = 0; i < count; i++) {
		if (recv(fds[i], &byte, 1, MSG_DONTWAIT) != 0)
			bench_die("the peer's FIN");
		close(fds[i]);
	}
}

static void end_in_ring(struct io_uring *ring, const int *fds, int count)
{
	static char bytes[BATCH];
	struct io_uring_cqe *done;
	unsigned int head, seen = 0;

	for (int i = 0; i < count; i++) {
		struct io_uring_sqe *entry = io_uring_get_sqe(ring);

		io_uring_prep_recv(entry, fds[i], &bytes[i], 1, MSG_DONTWAIT);
		io_uring_sqe_set_flags(entry, IOSQE_IO_HARDLINK);
		io_uring_prep_close(io_uring_get_sqe(ring), fds[i]);
	}
	if (io_uring_submit_and_wait(ring, (unsigned int)count * 2) < 0)
		bench_die("io_uring");
	io_uring_for_each_cqe(ring, head, done)
	{
		if (done->res != 0)
			bench_die("the peer's FIN, in the ring");
		seen++;
	}
	io_uring_cq_advance(ring, seen);
}

static void take_batches(int sender, unsigned long count, bool in_ring)
{
	struct io_uring ring;
	int fds[BATCH], got;

	if (in_ring && io_uring_queue_init(2 * BATCH, &ring,
					   IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN))
		bench_die("io_uring");
	for (unsigned long i = 0; i < count; i += (unsigned long)got) {
		got = take_batch(sender, fds);
		if (in_ring)
			end_in_ring(&ring, fds, got);
		else
			end_each(fds, got);
		if (got < BATCH)
			bench_sleep_ns(1000000);
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
		fprintf(stderr, "usage: floor SOCKET fin COUNT | late COUNT | batch COUNT | ring "
				"COUNT | read SIZE | discard SIZE\n");
		return 2;
	}
	sender = accept_sender(argv[1]);
	before = bench_now_ns(CLOCK_PROCESS_CPUTIME_ID);
	if (!strcmp(argv[2], "fin"))
		take_ended(sender, number);
	else if (!strcmp(argv[2], "batch") || !strcmp(argv[2], "ring"))
		take_batches(sender, number, !strcmp(argv[2], "ring"));
	else if (!strcmp(argv[2], "late"))
		take_late(sender, number);
	else
		read_one(sender, number, strcmp(argv[2], "discard") ? 0 : MSG_TRUNC);
	printf("%llu\n", (unsigned long long)(bench_now_ns(CLOCK_PROCESS_CPUTIME_ID) - before));
	return 0;
}
