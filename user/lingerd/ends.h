/* SPDX-License-Identifier: MIT */
/* How a linger ends: under exactly one of these causes, each of which has its counter. */
#ifndef LINGERD_ENDS_H
#define LINGERD_ENDS_H

#include <stdbool.h>
#include <sys/types.h>

#include "lingerd/counters.h"

enum linger_end {
	LINGER_OPEN, /* not ended */
	LINGER_FIN,
	LINGER_RESET,
	LINGER_ERROR,
	/* The peer may have more to say, and it is we who give up. */
	LINGER_IDLE,
	LINGER_TOTAL,
	LINGER_BYTE_CAP,
	LINGER_SHED,
	LINGER_QUOTA,
	/* Cut, whatever the peer does. */
	LINGER_COMMAND,
	LINGER_SHUTDOWN,
};

/* What a failed read means; error is a negative errno. LINGER_OPEN: nothing, it may succeed the next time. */
enum linger_end linger_end_of_error(ssize_t error);

/* Whether policies have a say in how the connection is closed. */
static inline bool linger_end_gives_up(enum linger_end end)
{
	return end >= LINGER_IDLE && end <= LINGER_QUOTA;
}

/* Counts one. end: not LINGER_OPEN. */
void linger_end_count(struct counters *counters, enum linger_end end);

#endif
