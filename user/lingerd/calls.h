/* SPDX-License-Identifier: MIT */
/*
 * System calls on many descriptors: with io_uring one for all of them, else one after the other. What they do is the same.
 *
 * The ring is restricted to these calls (IORING_REGISTER_RESTRICTIONS): no more can be done with it than the filter of
 * sandbox.h allows without it. There is one of them in a process.
 */
#ifndef LINGERD_CALLS_H
#define LINGERD_CALLS_H

#include <stdbool.h>
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

/* Sets the ring up, where that is allowed: whether it is. Linux 6.1 has all that it takes. */
bool calls_open(void);
void calls_close(void);
/* Whether many take less than one by one. */
bool calls_are_joined(void);

/* Makes up to CALLS_MAX calls, in any order. When it returns, all have their results. None blocks. */
void calls_make(struct call *calls, int count);

/* The same for one. */
ssize_t calls_make_one(enum call_kind kind, int fd);

#endif
