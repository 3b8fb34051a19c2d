/* SPDX-License-Identifier: MIT */
/*
 * The one clock of the project: CLOCK_MONOTONIC in nanoseconds. The kernel's bpf_ktime_get_ns()
 * reads the same clock, so stamps of the tracer, the server and the clients on one host may be
 * subtracted.
 */
#ifndef COMMON_CLOCK_H
#define COMMON_CLOCK_H

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

#endif
