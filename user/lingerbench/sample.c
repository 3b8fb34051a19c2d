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

bool sample_quantile(struct sample *sample, double q, double *ret)
{
	size_t rank;

	if (!sample->count)
		return false;
	if (!sample->sorted)
		qsort(sample->values, sample->count, sizeof(*sample->values), compare_doubles);
	sample->sorted = true;
	rank = (size_t)ceil(q * (double)sample->count);
	*ret = sample->values[rank ? rank - 1 : 0];
	return true;
}

void sample_free(struct sample *sample)
{
	free(sample->values);
	*sample = (struct sample){ 0 };
}
