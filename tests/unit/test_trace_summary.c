/* SPDX-License-Identifier: MIT */
/* The summary's histogram: every duration has a bucket, percentiles are exact to 1 in 64. */
#include "lingertrace/trace_summary.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void each_value_is_at_most_the_top_of_its_bucket(void **state)
{
	(void)state;
	for (unsigned int bit = 0; bit < 63; bit++) {
		for (int around = -1; around <= 1; around++) {
			uint64_t value = (1ULL << bit) + (uint64_t)around;
			unsigned int bucket = bucket_of(value);

			assert_true(bucket < BUCKETS);
			assert_true(bucket_top(bucket) >= value);
			assert_true(bucket_top(bucket) - value <= value / STEPS);
			assert_true(!bucket || bucket_top(bucket - 1) < value);
		}
	}
}

static void percentiles_of_a_known_series(void **state)
{
	struct histogram *histogram = calloc(1, sizeof(*histogram));

	(void)state;
	assert_non_null(histogram);
	for (uint64_t i = 1; i <= 1000; i++)
		histogram_add(histogram, i * 1000);
	histogram_add(histogram, CLOSE_TRACE_UNKNOWN);
	assert_int_equal(histogram->count, 1000);
	assert_in_range(histogram_percentile(histogram, 50), 500000, 500000 + 500000 / 64);
	assert_in_range(histogram_percentile(histogram, 99), 990000, 990000 + 990000 / 64);
	assert_int_equal(histogram_percentile(histogram, 100), 1000000);
	free(histogram);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_value_is_at_most_the_top_of_its_bucket),
		cmocka_unit_test(percentiles_of_a_known_series),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
