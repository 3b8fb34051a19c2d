/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The array that most connections sit in, whose records user space reads where they are: it maps the array. Both
 * sides must agree on who has a place.
 *
 * record.cookie says it, the first member of what is there: the cookie of the connection, or one of these. The
 * kernel counts cookies up from 0, and some of them down: the two highest bits of any are the same.
 */
#ifndef PLACES_H
#define PLACES_H

#ifndef __bpf__
#include <linux/types.h>
#endif

#define PLACE_FREE ((__u64)0)

/* With this bit turned over: the connection is over, and user space is to read it and free the place. */
#define PLACE_ENDED (1ULL << 62)

/* Claimed by the kernel side, and not filled yet: neither a cookie nor one that is over. */
#define PLACE_CLAIMED (PLACE_FREE ^ PLACE_ENDED)

static inline _Bool place_has_connection(__u64 cookie)
{
	return cookie && !((cookie ^ cookie << 1) >> 63);
}

static inline _Bool place_is_over(__u64 cookie)
{
	return place_has_connection(cookie ^ PLACE_ENDED);
}

/* As many as there may be, a power of 2. */
enum { PLACES = 8192 };

#endif
