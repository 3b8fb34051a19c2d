/* SPDX-License-Identifier: MIT */
/* Numbers on command lines: what is none must be refused, and nothing taken by halves. */
#include "common/number.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void whole_numbers_within_their_range(void **state)
{
	uint64_t value = 7;

	(void)state;
	assert_int_equal(number_parse("65535", 1, 65535, &value), 0);
	assert_int_equal(value, 65535);
	assert_int_equal(number_parse("0", 0, 9, &value), 0);
	assert_int_equal(value, 0);
	assert_int_equal(number_parse("18446744073709551615", 0, UINT64_MAX, &value), 0);
	assert_true(value == UINT64_MAX);
}

static void refused_numbers_leave_the_result_alone(void **state)
{
	static const char *const no_numbers[] = { "", " 1", "1 ", "+1", "-1", "0x10", "1k", "ten" };
	uint64_t value = 7;

	(void)state;
	for (size_t i = 0; i < sizeof(no_numbers) / sizeof(no_numbers[0]); i++)
		assert_int_equal(number_parse(no_numbers[i], 0, UINT64_MAX, &value), -EINVAL);
	assert_int_equal(number_parse("0", 1, 65535, &value), -ERANGE);
	assert_int_equal(number_parse("65536", 1, 65535, &value), -ERANGE);
	assert_int_equal(number_parse("18446744073709551616", 0, UINT64_MAX, &value), -ERANGE);
	assert_int_equal(value, 7);
}

static void seconds_with_a_fraction(void **state)
{
	uint64_t ns = 7;

	(void)state;
	assert_int_equal(number_parse_seconds("2", 10, &ns), 0);
	assert_int_equal(ns, 2000000000);
	assert_int_equal(number_parse_seconds("0.25", 10, &ns), 0);
	assert_int_equal(ns, 250000000);
	assert_int_equal(number_parse_seconds("10.5", 10, &ns), -ERANGE);
	assert_int_equal(number_parse_seconds("", 10, &ns), -EINVAL);
	assert_int_equal(number_parse_seconds(".", 10, &ns), -EINVAL);
	assert_int_equal(number_parse_seconds("1.2.3", 10, &ns), -EINVAL);
	assert_int_equal(number_parse_seconds("nan", 10, &ns), -EINVAL);
	assert_int_equal(number_parse_seconds("-1", 10, &ns), -EINVAL);
	assert_int_equal(ns, 250000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_numbers_within_their_range),
		cmocka_unit_test(refused_numbers_leave_the_result_alone),
		cmocka_unit_test(seconds_with_a_fraction),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
