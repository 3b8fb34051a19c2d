/* SPDX-License-Identifier: MIT */
#include "lingerbench/sample.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

int sample_add(struct sample *sample, double value)
{
	if (sample->count == sample->size) {
		size_t size = sample->size ? sample->size * 2 : 256;
		double *values = realloc(sample->values, size * sizeof(*values));

		if (!values)
			return -ENOMEM;
		sample->values = values;
		sample->size = size;
	}
	sample->values[sample->count++] = value;
	sample->sorted = false;
	return 0;
}

static int compare_doubles(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;

	return a < b ? -1 : a > b;
}

static void sort(struct sample *sample)
{
	if (!sample->sorted)
		qsort(sample->values, sample->count, sizeof(*sample->values), compare_doubles);
	sample->sorted = true;
}

bool sample_quantile(struct sample *sample, double q, double *ret)
{
	size_t rank;

	if (!sample->count)
		return false;
	sort(sample);
	rank = (size_t)ceil(q * (double)sample->count);
	*ret = sample->values[rank ? rank - 1 : 0];
	return true;
}

bool sample_median(struct sample *sample, double *ret)
{
	size_t half = sample->count / 2;

	if (!sample->count)
		return false;
	sort(sample);
	*ret = sample->values[half];
	if (sample->count % 2 == 0)
		*ret = (sample->values[half - 1] + sample->values[half]) / 2;
	return true;
}

/* How many values can be left out at each end: the most for which P(Binomial(n, 1/2) < k) <= 2.5 %. */
static bool median_rank(size_t count, size_t *ret)
{
	double each = pow(0.5, (double)count), below = 0;
	size_t rank;

	for (rank = 0; rank < count && below + each <= 0.025; rank++) {
		below += each;
		each *= (double)(count - rank) / (double)(rank + 1);
	}
	*ret = rank;
	return rank > 0;
}

bool sample_median_interval(struct sample *sample, double *ret_low, double *ret_high)
{
	size_t rank;

	if (!median_rank(sample->count, &rank))
		return false;
	sort(sample);
	*ret_low = sample->values[rank - 1];
	*ret_high = sample->values[sample->count - rank];
	return true;
}

void sample_free(struct sample *sample)
{
	free(sample->values);
	*sample = (struct sample){ 0 };
}
