/* SPDX-License-Identifier: MIT */
/* Durations, counted between a few bounds, as Prometheus wants them. Pure arithmetic. */
#ifndef METRICS_HISTOGRAM_H
#define METRICS_HISTOGRAM_H

#include <stdint.h>

enum { METRICS_BOUNDS = 15 };

/* In nanoseconds, rising; the last bucket has none. */
typedef const uint64_t metrics_bounds[METRICS_BOUNDS];

/* Of the ends of connections: 100 us to 130 s. */
extern metrics_bounds metrics_bounds_of_ends;
/* Of a program's own work: 10 us to 1 s. */
extern metrics_bounds metrics_bounds_of_work;

/* All zero: empty, with metrics_bounds_of_ends. */
struct metrics_histogram {
	metrics_bounds *bounds_ns;	      /* stay the caller's; NULL: metrics_bounds_of_ends */
	uint64_t buckets[METRICS_BOUNDS + 1]; /* each by itself, not yet summed up */
	uint64_t sum_ns;
};

static inline const uint64_t *metrics_bounds_ns(const struct metrics_histogram *histogram)
{
	return histogram->bounds_ns ? *histogram->bounds_ns : metrics_bounds_of_ends;
}

/* Counts one. No allocation, no system call. */
void metrics_observe(struct metrics_histogram *histogram, uint64_t ns);
/* Adds what another one of the same bounds has counted. */
void metrics_add(struct metrics_histogram *to, const struct metrics_histogram *more);

#endif
