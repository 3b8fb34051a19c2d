/* SPDX-License-Identifier: MIT */
/* Durations, counted in buckets: memory does not grow with them, percentiles are exact to 1 in 64. */
#ifndef COMMON_HISTOGRAM_H
#define COMMON_HISTOGRAM_H

#include <stdint.h>

/* Below 64 each value has its bucket; above, each power of two has 64 of them. */
enum {
	HISTOGRAM_STEP_BITS = 6,
	HISTOGRAM_STEPS = 1 << HISTOGRAM_STEP_BITS,
	HISTOGRAM_BUCKETS = (64 - HISTOGRAM_STEP_BITS + 1) * HISTOGRAM_STEPS,
};

/* All zero: empty. 30 KiB. */
struct histogram {
	uint64_t count;
	uint64_t most; /* exact */
	uint64_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *histogram, uint64_t value);

/*
 * The smallest value that `percent` (1 to 100) of all do not exceed, rounded up to its bucket's top; 0 when
 * there is none.
 */
uint64_t histogram_percentile(const struct histogram *histogram, unsigned int percent);

#endif
