/* SPDX-License-Identifier: MIT */
/*
 * handoff SOCKET COUNT: what linger_handoff() costs its caller, against a bare shutdown() and sendmsg() of the same
 * message to the same daemon: in turns, COUNT each, as a worker comes to them, one connection after the other. Prints
 * p50 and p99 of both in nanoseconds: of the bare calls first.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "liblinger/linger.h"
#include "liblinger/protocol.h"
#include "tests/bench/loopback.h"

enum { RETRY_NS = 200000, SEND_BUFFER_BYTES = 16 * 1024 };

static int connect_bare(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), size = SEND_BUFFER_BYTES;

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)))
		bench_die("connect");
	return fd;
}

static int send_bare(int sender, int fd)
{
	struct linger_message bytes = { .magic = LINGER_PROTOCOL_MAGIC,
					.version = LINGER_PROTOCOL_VERSION,
					.size = sizeof(bytes),
					.type = LINGER_MESSAGE_HANDOFF,
					.flags = LINGER_HALF_CLOSED };
	struct iovec vector = { .iov_base = &bytes, .iov_len = sizeof(bytes) };
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { .header = { .cmsg_level = SOL_SOCKET,
				  .cmsg_type = SCM_RIGHTS,
				  .cmsg_len = CMSG_LEN(sizeof(int)) } };
	struct msghdr message = { .msg_iov = &vector,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = sizeof(control.space) };

	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	shutdown(fd, SHUT_WR);
	return sendmsg(sender, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void print(uint64_t *times, size_t count, const char *end)
{
	qsort(times, count, sizeof(*times), compare);
	printf("%llu %llu%s", (unsigned long long)times[count / 2],
	       (unsigned long long)times[count * 99 / 100], end);
}

int main(int argc, char **argv)
{
	size_t count = argc == 3 ? strtoul(argv[2], NULL, 10) : 0, done[2] = { 0 };
	struct linger_client *client;
	uint64_t *times[2];
	int bare;

	if (!count || linger_client_open(&client, argv[1])) {
		fprintf(stderr, "usage: handoff SOCKET COUNT\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	bare = connect_bare(argv[1]);
	times[0] = calloc(count, sizeof(uint64_t));
	times[1] = calloc(count, sizeof(uint64_t));
	if (!times[0] || !times[1])
		bench_die("memory");
	for (size_t i = 0; done[0] < count || done[1] < count; i++) {
		struct pair pair = bench_connect();
		uint64_t before;
		int error, ours = i % 2;

		close(pair.client);
		before = bench_now_ns(CLOCK_MONOTONIC);
		error = ours ? linger_handoff(client, pair.server) : send_bare(bare, pair.server);
		before = bench_now_ns(CLOCK_MONOTONIC) - before;
		close(pair.server);
		if (error == -EAGAIN)
			bench_sleep_ns(
				RETRY_NS); /* the daemon is behind; this one is in no figure */
		else if (error)
			bench_die("handoff");
		else if (done[ours] < count)
			times[ours][done[ours]++] = before;
	}
	print(times[0], count, " ");
	print(times[1], count, "\n");
	return 0;
}
