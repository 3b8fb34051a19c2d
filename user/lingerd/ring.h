/* SPDX-License-Identifier: MIT */
/*
 * The ring of io_uring of this process: requests of calls.h and of watches.h go into it, and the kernel takes all of them
 * with one system call.
 *
 * It is restricted to what those two ask for (IORING_REGISTER_RESTRICTIONS): no more can be done with it than the filter of
 * sandbox.h allows without it. Nothing runs behind our back: what ends is told in ring_run(), and nowhere else.
 */
#ifndef LINGERD_RING_H
#define LINGERD_RING_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

struct io_uring_sqe;

/* Whose request it is. */
enum ring_owner {
	RING_CALLS,
	RING_WATCHES,
	RING_REMOVALS, /* of watches */
	RING_OWNERS
};

enum { RING_REQUESTS = 64 }; /* at a time, before the kernel has to take them */

/* The kernel has not taken the request, for want of memory. No other result is that. */
enum { RING_NOT_TAKEN = INT_MIN };

/* A request has ended. May not put in another one. */
typedef void ring_ended_fn(void *context, uint32_t number, int result);

/* Sets it up, where that is allowed: whether it is. Linux 6.1 has all that it takes. */
bool ring_open(void);
void ring_close(void);
bool ring_is_open(void);

/* Whom to tell of the ends of an owner's requests. */
void ring_tell(enum ring_owner owner, ring_ended_fn *ended, void *context);

/* A request, to be filled in. If there is no place for it, the kernel takes what is there already. */
struct io_uring_sqe *ring_request(enum ring_owner owner, uint32_t number);

/* What it is known by to the kernel, where a request is about another one. */
uint64_t ring_tag(enum ring_owner owner, uint32_t number);

/* Has the kernel take what is there, and tells of what has ended. wait: if nothing has ended yet, until something has. */
void ring_run(bool wait);

/* Whether ring_run() may have ends to tell of. Costs no system call. */
bool ring_has_ends(void);

/*
 * For sleeping: a descriptor that becomes readable once, for edge-triggered epoll, when something ends after ring_sleep(). That
 * one has the kernel take what is there, tells of what has ended before, and says whether to sleep. The descriptor stays the ring's. Between
 * ring_wake() and ring_sleep() nobody is woken, since ring_has_ends() is asked.
 */
int ring_wakeups(void);
bool ring_sleep(void);
void ring_wake(void);

#endif
