/* SPDX-License-Identifier: MIT */
/*
 * System calls on many descriptors: with io_uring (ring.h) one for all of them, else one after the other. What they do is the
 * same.
 */
#ifndef LINGERD_CALLS_H
#define LINGERD_CALLS_H

#include <sys/types.h>

enum call_kind {
	CALL_PROTOCOL, /* SO_PROTOCOL */
	CALL_LINGER,   /* SO_LINGER: 1 if close() would wait, else 0 */
	CALL_DISCARD,  /* reads and throws away a bounded amount: bytes, 0 at the peer's FIN */
	CALL_CLOSE,
};

struct call {
	enum call_kind kind;
	int fd;
	ssize_t result; /* or a negative errno */
};

enum { CALLS_MAX = 64 };

/* Makes up to CALLS_MAX calls, in any order. When it returns, all have their results. None blocks. */
void calls_make(struct call *calls, int count);

/* The same for one. */
ssize_t calls_make_one(enum call_kind kind, int fd);

#endif
