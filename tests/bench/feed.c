/* SPDX-License-Identifier: MIT */
/*
 * Hands connections over, as a worker does, to whatever takes them at SOCKET:
 *
 *	feed SOCKET fin MS COUNT     the peer's FIN comes MS after the handoff; 0: it is there before
 *	feed SOCKET open COUNT       peers that stay until the standard input ends; says "ready"
 *	feed SOCKET upload BYTES     one peer that sends so much as fast as it can, and closes
 *	feed SOCKET upload-kernel BYTES  the same, and the half-close is left to the taker
 *
 * A taker that has no room is waited for, and given another connection then: of the one that it did not take, the peer
 * may be gone. Prints how often that was so.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "liblinger/linger.h"
#include "tests/bench/loopback.h"

enum { LATE_MAX = 8192, RETRY_NS = 50000 };

/* Peers that close later, in the order in which they came. */
struct late {
	struct {
		int fd;
		uint64_t at_ns;
	} ring[LATE_MAX];
	size_t first, count;
};

static unsigned long retries;

/* Returns the peer's side. */
static int hand_over(struct linger_client *client, bool fin_first)
{
	for (;;) {
		struct pair pair = bench_connect();
		int error;

		if (fin_first)
			shutdown(pair.client, SHUT_WR);
		error = linger_handoff(client, pair.server);
		close(pair.server);
		if (!error)
			return pair.client;
		close(pair.client);
		if (error != -EAGAIN) {
			errno = -error;
			bench_die("handoff");
		}
		retries++;
		bench_sleep_ns(RETRY_NS);
	}
}

static void close_late(struct late *late, uint64_t now)
{
	while (late->count && late->ring[late->first].at_ns <= now) {
		close(late->ring[late->first].fd);
		late->first = (late->first + 1) % LATE_MAX;
		late->count--;
	}
}

static void feed_late(struct linger_client *client, uint64_t fin_ns, unsigned long count)
{
	static struct late late;

	for (unsigned long i = 0; i < count; i++) {
		size_t last = (late.first + late.count) % LATE_MAX;

		late.ring[last].fd = hand_over(client, false);
		late.ring[last].at_ns = bench_now_ns(CLOCK_MONOTONIC) + fin_ns;
		late.count++;
		close_late(&late,
			   late.count == LATE_MAX ? UINT64_MAX : bench_now_ns(CLOCK_MONOTONIC));
	}
	while (late.count)
		close_late(&late, bench_now_ns(CLOCK_MONOTONIC));
}

static void feed_ended(struct linger_client *client, unsigned long count)
{
	for (unsigned long i = 0; i < count; i++)
		close(hand_over(client, true));
}

static void feed_open(struct linger_client *client, unsigned long count)
{
	for (unsigned long i = 0; i < count; i++)
		hand_over(client, false);
	puts("ready");
	fflush(stdout);
	while (getchar() != EOF)
		;
}

static void feed_upload(struct linger_client *client, uint64_t bytes)
{
	static char block[1 << 20];
	int peer = hand_over(client, false);

	while (bytes) {
		ssize_t sent =
			send(peer, block, bytes < sizeof(block) ? (size_t)bytes : sizeof(block), 0);

		if (sent < 0)
			bench_die("send");
		bytes -= (uint64_t)sent;
	}
	close(peer);
}

int main(int argc, char **argv)
{
	struct linger_client *client;

	struct linger_client_options how = LINGER_CLIENT_OPTIONS_INIT;

	signal(SIGPIPE, SIG_IGN);
	how.daemon_half_closes = argc > 2 && !strcmp(argv[2], "upload-kernel");
	if (argc < 4 || linger_client_open_with(&client, argv[1], &how))
		goto usage;
	if (!strcmp(argv[2], "fin") && argc == 5 && !strcmp(argv[3], "0"))
		feed_ended(client, strtoul(argv[4], NULL, 10));
	else if (!strcmp(argv[2], "fin") && argc == 5)
		feed_late(client, strtoull(argv[3], NULL, 10) * 1000000,
			  strtoul(argv[4], NULL, 10));
	else if (!strcmp(argv[2], "open") && argc == 4)
		feed_open(client, strtoul(argv[3], NULL, 10));
	else if (!strncmp(argv[2], "upload", strlen("upload")) && argc == 4)
		feed_upload(client, strtoull(argv[3], NULL, 10));
	else
		goto usage;
	linger_client_close(client);
	printf("%lu\n", retries);
	return 0;
usage:
	fprintf(stderr, "usage: feed SOCKET fin MS COUNT | open COUNT | upload[-kernel] BYTES\n");
	return 2;
}
