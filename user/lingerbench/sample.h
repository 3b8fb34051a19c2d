/* SPDX-License-Identifier: MIT */
/* A growing list of measurements and its quantiles. A zeroed one is empty. */
#ifndef LINGERBENCH_SAMPLE_H
#define LINGERBENCH_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>

struct sample {
	double *values;
	size_t count;
	size_t size;
	bool sorted;
};

/* 0 or -ENOMEM. */
int sample_add(struct sample *sample, double value);

/*
 * The smallest value that at least the share q (0 < q <= 1) of the sample does not pass (nearest
 * rank). Sorts the sample. False: the sample is empty, *ret is untouched.
 */
bool sample_quantile(struct sample *sample, double q, double *ret);

/* The middle one, or what is halfway between the two middle ones. Else as sample_quantile(). */
bool sample_median(struct sample *sample, double *ret);

/*
 * The 95 % interval of the median of what was sampled, from order statistics: the narrowest pair of
 * values, equally far from both ends, between which the median lies with that probability, whatever
 * the distribution. Sorts the sample. False: there are less than 6 values, too few for one.
 */
bool sample_median_interval(struct sample *sample, double *ret_low, double *ret_high);

void sample_free(struct sample *sample);

#endif
