/* SPDX-License-Identifier: MIT */
/*
 * How the descriptors that RLIMIT_NOFILE allows are shared out. A process at its limit loses fds
 * that are passed to it without a trace, so there must always be room for what is received:
 *
 *	connections + senders + reserve <= RLIMIT_NOFILE
 *
 * connections bounds what lingers, senders the processes connected to us, reserve is the daemon's
 * own, with that of its endpoint for metrics. Numbers are handed out lowest first, so an fd is always below the sum of the three.
 */
#ifndef LINGERD_LIMITS_H
#define LINGERD_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

struct limits {
	uint32_t connections;
	uint32_t senders;
	uint32_t reserve;
	uint32_t spare; /* given to none of them */
};

/* What the connections are to be shared out with, besides the senders. */
struct limits_needs {
	uint32_t connections; /* wished for */
	uint32_t endpoint;    /* descriptors that an endpoint for metrics may come to need */
	uint32_t workers;     /* descriptors that lead to the other processes of the daemon */
	bool as_root; /* root starts it for another user: nobody else has set a limit for that user */
};

/* Shares out nofile descriptors, of which open_now are in use already. 0, or -EMFILE with *ret
 * untouched: not even one connection would find room. Pure. */
int limits_share(uint64_t nofile, uint32_t open_now, const struct limits_needs *needs,
		 struct limits *ret);

/*
 * Raises RLIMIT_NOFILE of this process towards what is needed, as_root the hard limit, too, and shares out what it got.
 * *ret_nofile is the limit then, also on failure. Errors as limits_share().
 */
int limits_take(const struct limits_needs *needs, struct limits *ret, uint64_t *ret_nofile);

#endif
