/* SPDX-License-Identifier: MIT */
/*
 * The one clock of the project: CLOCK_MONOTONIC in nanoseconds. The kernel's bpf_ktime_get_ns()
 * reads the same clock, so stamps of the tracer, the server and the clients on one host may be
 * subtracted.
 */
#ifndef COMMON_CLOCK_H
#define COMMON_CLOCK_H

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <time.h>

#define NS_PER_US 1000ULL
#define NS_PER_MS 1000000ULL
#define NS_PER_S  1000000000ULL

static inline uint64_t clock_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/* Asleep, and for all of it, however many signals come. */
static inline void clock_sleep_ns(uint64_t ns)
{
	uint64_t until = clock_now_ns() + ns;
	const struct timespec end = { .tv_sec = (time_t)(until / NS_PER_S),
				      .tv_nsec = (long)(until % NS_PER_S) };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, NULL) == EINTR)
		;
}

/* Milliseconds from now, rounded up, as poll(2) wants them; -1, for ever, for UINT64_MAX. */
static inline int clock_ms_until(uint64_t at_ns)
{
	uint64_t now, ms;

	if (at_ns == UINT64_MAX)
		return -1;
	now = clock_now_ns();
	ms = at_ns > now ? (at_ns - now + NS_PER_MS - 1) / NS_PER_MS : 0;
	return ms < INT_MAX ? (int)ms : INT_MAX;
}

#endif
