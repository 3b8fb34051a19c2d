/* SPDX-License-Identifier: MIT */
#include "metrics/histogram.h"

#include "common/clock.h"

/* Around what matters here: a delayed ACK, the kernel's FIN_WAIT_2 and TIME_WAIT of a minute. */
metrics_bounds metrics_bounds_of_ends = {
	100 * NS_PER_US, NS_PER_MS,	  5 * NS_PER_MS,   10 * NS_PER_MS, 50 * NS_PER_MS,
	100 * NS_PER_MS, 250 * NS_PER_MS, 500 * NS_PER_MS, NS_PER_S,	   2500 * NS_PER_MS,
	5 * NS_PER_S,	 10 * NS_PER_S,	  30 * NS_PER_S,   65 * NS_PER_S,  130 * NS_PER_S,
};

metrics_bounds metrics_bounds_of_work = {
	10 * NS_PER_US,	 25 * NS_PER_US, 50 * NS_PER_US,  100 * NS_PER_US, 250 * NS_PER_US,
	500 * NS_PER_US, NS_PER_MS,	 2 * NS_PER_MS,	  5 * NS_PER_MS,   10 * NS_PER_MS,
	25 * NS_PER_MS,	 50 * NS_PER_MS, 100 * NS_PER_MS, 250 * NS_PER_MS, NS_PER_S,
};

void metrics_observe(struct metrics_histogram *histogram, uint64_t ns)
{
	const uint64_t *bounds = metrics_bounds_ns(histogram);
	unsigned int bucket = 0;

	while (bucket < METRICS_BOUNDS && ns > bounds[bucket])
		bucket++;
	histogram->buckets[bucket]++;
	histogram->sum_ns += ns;
}

void metrics_add(struct metrics_histogram *to, const struct metrics_histogram *more)
{
	for (unsigned int i = 0; i <= METRICS_BOUNDS; i++)
		to->buckets[i] += more->buckets[i];
	to->sum_ns += more->sum_ns;
}
