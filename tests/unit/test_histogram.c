/* SPDX-License-Identifier: MIT */
/* Every duration has a bucket, percentiles are exact to 1 in 64. */
#include "common/histogram.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>

static struct histogram histogram;

static int set_up(void **state)
{
	(void)state;
	memset(&histogram, 0, sizeof(histogram));
	return 0;
}

static void each_value_is_at_most_the_top_of_its_bucket(void **state)
{
	(void)state;
	for (unsigned int bit = 0; bit < 64; bit++) {
		for (int around = -1; around <= 1; around++) {
			uint64_t value = (1ULL << bit) + (uint64_t)around;
			unsigned int bucket = bucket_of(value);

			assert_true(bucket < HISTOGRAM_BUCKETS);
			assert_true(bucket_top(bucket) >= value);
			assert_true(bucket_top(bucket) - value <= value / HISTOGRAM_STEPS);
			assert_true(!bucket || bucket_top(bucket - 1) < value);
		}
	}
}

static void percentiles_of_a_known_series(void **state)
{
	(void)state;
	for (uint64_t i = 1; i <= 1000; i++)
		histogram_add(&histogram, i * 1000);
	assert_int_equal(histogram.count, 1000);
	assert_in_range(histogram_percentile(&histogram, 50), 500000, 500000 + 500000 / 64);
	assert_in_range(histogram_percentile(&histogram, 99), 990000, 990000 + 990000 / 64);
	assert_int_equal(histogram_percentile(&histogram, 100), 1000000);
}

static void an_empty_one_has_only_zeros(void **state)
{
	(void)state;
	assert_int_equal(histogram_percentile(&histogram, 99), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(each_value_is_at_most_the_top_of_its_bucket, set_up),
		cmocka_unit_test_setup(percentiles_of_a_known_series, set_up),
		cmocka_unit_test_setup(an_empty_one_has_only_zeros, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
