/* SPDX-License-Identifier: MIT */
/*
 * The system is short of memory for a moment. In the loop that is waited out by coming back to it; where there is no
 * coming back, because a process begins or ends, by waiting here: for a second in all, and not for ever.
 */
#ifndef LINGERD_SHORTAGE_H
#define LINGERD_SHORTAGE_H

#include <errno.h>
#include <stdbool.h>
#include <time.h>

enum { SHORTAGE_WAITS = 100, SHORTAGE_WAIT_MS = 10 };

/* Whether a call that has failed with this negative errno may succeed when there is memory again. */
static inline bool is_shortage(long error)
{
	return error == -ENOMEM || error == -ENOBUFS;
}

/* Waits, if that may help and has not been done too often. *waits: how often; 0 at first. */
static inline bool wait_out_shortage(long error, int *waits)
{
	const struct timespec pause = { .tv_nsec = SHORTAGE_WAIT_MS * 1000000L };

	if (!is_shortage(error) || ++*waits > SHORTAGE_WAITS)
		return false;
	nanosleep(&pause, NULL);
	return true;
}

#endif
