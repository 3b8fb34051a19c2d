/* SPDX-License-Identifier: MIT */
/*
 * One request of our own, by which a real server shows that it answers. Its connection is followed to
 * its end: lingerd may get it, and it is no client's.
 */
#ifndef LINGERBENCH_PROBE_H
#define LINGERBENCH_PROBE_H

#include <stdbool.h>
#include <stdint.h>

struct probe {
	int fd; /* -1: no connection, or not any more */
	bool answered;
	uint64_t poke_ns; /* probe_is_gone() sends the next byte then */
};

#define PROBE_INIT                                                                                 \
	{                                                                                          \
		.fd = -1                                                                           \
	}

/*
 * Connects to that address (dotted) and port if there is no connection, asks, and takes what has come. Waits for
 * nothing but connect(2). True: the server has answered and ended its side. Call it again until then.
 */
bool probe_step(struct probe *probe, const char *address, uint16_t port);

/*
 * After the answer: whether nobody has the server's side of the connection open any more. Seen by a
 * byte that is sent now and then, and answered by a reset. Does not wait.
 */
bool probe_is_gone(struct probe *probe, uint64_t now_ns);

/* May be called at any time. */
void probe_close(struct probe *probe);

#endif
