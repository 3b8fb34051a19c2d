/* SPDX-License-Identifier: MIT */
/*
 * The TCP connections in this network namespace that have not ended, by sock_diag(7): mini-sockets in
 * FIN_WAIT_2 are among them, those in TIME_WAIT are not. The tracer asks at its end which of the connections
 * in its table are still there; the end of the others has been missed.
 */
#ifndef TRACER_LIVE_SOCKETS_H
#define TRACER_LIVE_SOCKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct live_sockets {
	uint64_t at_ns;	   /* CLOCK_MONOTONIC, before the first was looked at */
	uint32_t netns;	   /* inode of the namespace */
	uint64_t *cookies; /* sorted */
	size_t count;
	size_t size;
};

/* 0, or a negative errno with *ret empty. Does not block on anybody but the kernel. */
int live_sockets_read(struct live_sockets *ret);

bool live_sockets_have(const struct live_sockets *sockets, uint64_t cookie);

void live_sockets_free(struct live_sockets *sockets);

#endif
