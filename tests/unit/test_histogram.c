/* SPDX-License-Identifier: MIT */
/* Every duration has a bucket, percentiles are exact to 1 in 64, powers of two count each value once. */
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
	assert_int_equal(histogram_power(&histogram, 0), 0);
}

static void powers_of_two_have_their_values(void **state)
{
	static const uint64_t values[] = {
		0,	    1,		2,	3, 4, 7, 127, 128, 255, 256, (1ULL << 40) - 1,
		1ULL << 40, UINT64_MAX, 1 << 20
	};
	uint64_t sum = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		histogram_add(&histogram, values[i]);
	for (unsigned int power = 0; power < 64; power++)
		sum += histogram_power(&histogram, power);
	assert_int_equal(sum, histogram.count);
	assert_int_equal(histogram_power(&histogram, 0), 2);
	assert_int_equal(histogram_power(&histogram, 1), 2);
	assert_int_equal(histogram_power(&histogram, 2), 2);
	assert_int_equal(histogram_power(&histogram, 6), 1);
	assert_int_equal(histogram_power(&histogram, 7), 2);
	assert_int_equal(histogram_power(&histogram, 8), 1);
	assert_int_equal(histogram_power(&histogram, 39), 1);
	assert_int_equal(histogram_power(&histogram, 40), 1);
	assert_int_equal(histogram_power(&histogram, 63), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(each_value_is_at_most_the_top_of_its_bucket, set_up),
		cmocka_unit_test_setup(percentiles_of_a_known_series, set_up),
		cmocka_unit_test_setup(an_empty_one_has_only_zeros, set_up),
		cmocka_unit_test_setup(powers_of_two_have_their_values, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
