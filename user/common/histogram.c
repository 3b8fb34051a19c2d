/* SPDX-License-Identifier: MIT */
#include "common/histogram.h"

static unsigned int bucket_of(uint64_t value)
{
	unsigned int shift;

	if (value < HISTOGRAM_STEPS)
		return (unsigned int)value;
	shift = 63 - HISTOGRAM_STEP_BITS - (unsigned int)__builtin_clzll(value);
	return shift * HISTOGRAM_STEPS + (unsigned int)(value >> shift);
}

/* The largest value that falls into the bucket. */
static uint64_t bucket_top(unsigned int bucket)
{
	unsigned int shift = bucket < 2 * HISTOGRAM_STEPS ? 0 : bucket / HISTOGRAM_STEPS - 1;
	uint64_t steps = bucket - shift * HISTOGRAM_STEPS;

	return ((steps + 1) << shift) - 1;
}

void histogram_add(struct histogram *histogram, uint64_t value)
{
	histogram->count++;
	histogram->buckets[bucket_of(value)]++;
	if (value > histogram->most)
		histogram->most = value;
}

uint64_t histogram_percentile(const struct histogram *histogram, unsigned int percent)
{
	uint64_t rank = (histogram->count * percent + 99) / 100;
	uint64_t seen = 0;

	if (!histogram->count)
		return 0;
	for (unsigned int i = 0; i < HISTOGRAM_BUCKETS; i++) {
		seen += histogram->buckets[i];
		if (seen >= rank)
			return bucket_top(i) < histogram->most ? bucket_top(i) : histogram->most;
	}
	return histogram->most;
}
