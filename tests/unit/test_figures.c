/* SPDX-License-Identifier: MIT */
/* From measurements to the figures that are printed: quantiles, CSV read back, the form of a
 * figure. */
#include "lingerbench/verdict.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>

#include "common/csv.h"
#include "lingerbench/response.h"
#include "lingerbench/sample.h"
#include "tests/support/process.h"

static void quantiles_are_values_of_the_sample(void **state)
{
	struct sample sample = { 0 };
	double value = -1;

	(void)state;
	assert_false(sample_quantile(&sample, 0.5, &value));
	assert_true(value == -1);
	for (int i = 100; i >= 1; i--)
		assert_int_equal(sample_add(&sample, i), 0);
	assert_true(sample_quantile(&sample, 0.5, &value) && value == 50);
	assert_true(sample_quantile(&sample, 0.99, &value) && value == 99);
	assert_true(sample_quantile(&sample, 1, &value) && value == 100);
	assert_int_equal(sample_add(&sample, 0), 0);
	assert_true(sample_quantile(&sample, 0.001, &value) && value == 0);
	sample_free(&sample);
}

static void the_median_is_the_middle_or_halfway_between_two(void **state)
{
	struct sample sample = { 0 };
	double value = -1;

	(void)state;
	assert_false(sample_median(&sample, &value));
	assert_true(value == -1);
	assert_int_equal(sample_add(&sample, 8), 0);
	assert_true(sample_median(&sample, &value) && value == 8);
	assert_int_equal(sample_add(&sample, 2), 0);
	assert_true(sample_median(&sample, &value) && value == 5);
	assert_int_equal(sample_add(&sample, 3), 0);
	assert_true(sample_median(&sample, &value) && value == 3);
	sample_free(&sample);
}

/*
 * How many values lie outside at each end: as in tables of the sign test, and as R's
 * qbinom(0.025, n, 0.5) says.
 */
static void intervals_of_medians_are_those_of_the_sign_test(void **state)
{
	static const struct {
		int count, low, high;
	} known[] = { { 6, 1, 6 },   { 8, 1, 8 },   { 9, 2, 8 },    { 10, 2, 9 },   { 12, 3, 10 },
		      { 20, 6, 15 }, { 25, 8, 18 }, { 50, 18, 33 }, { 100, 40, 61 } };
	double low = -1, high = -1;

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		struct sample sample = { 0 };

		for (int value = known[i].count; value >= 1; value--)
			assert_int_equal(sample_add(&sample, value), 0);
		assert_true(sample_median_interval(&sample, &low, &high));
		assert_true(low == known[i].low && high == known[i].high);
		sample_free(&sample);
	}
}

static void of_five_values_there_is_no_interval(void **state)
{
	struct sample sample = { 0 };
	double low = -1, high = -1;

	(void)state;
	for (int i = 0; i < 5; i++)
		assert_int_equal(sample_add(&sample, i), 0);
	assert_false(sample_median_interval(&sample, &low, &high));
	assert_true(low == -1 && high == -1);
	sample_free(&sample);
}

static void csv_comes_back_as_it_was_written(void **state)
{
	char folder[256], path[300];
	struct csvtable table;
	struct csv *csv;
	double value = -1;

	(void)state;
	make_folder(folder);
	snprintf(path, sizeof(path), "%s/t.csv", folder);
	assert_int_equal(csv_create(&csv, path), 0);
	csv_text(csv, "name");
	csv_text(csv, "a, \"quoted\" one");
	csv_text(csv, "last");
	assert_int_equal(csv_end_row(csv), 0);
	csv_text(csv, "say \"hi\", twice");
	csv_unknown(csv);
	csv_decimal(csv, 2.25, 2);
	assert_int_equal(csv_end_row(csv), 0);
	assert_int_equal(csv_close(csv), 0);

	assert_int_equal(csvtable_read(&table, path), 0);
	assert_int_equal(table.row_count, 1);
	assert_int_equal(table.column_count, 3);
	assert_string_equal(csvtable_text(&table, 0, "name"), "say \"hi\", twice");
	assert_string_equal(csvtable_text(&table, 0, "a, \"quoted\" one"), "");
	assert_false(csvtable_number(&table, 0, "a, \"quoted\" one", &value));
	assert_true(csvtable_number(&table, 0, "last", &value) && value == 2.25);
	assert_false(csvtable_number(&table, 0, "no such", &value));
	csvtable_free(&table);
	remove_folder(folder);
}

static void a_torn_csv_is_refused(void **state)
{
	char folder[256], path[300];
	struct csvtable table;
	FILE *file;

	(void)state;
	make_folder(folder);
	snprintf(path, sizeof(path), "%s/t.csv", folder);
	file = fopen(path, "w");
	fputs("a,b,c\n1,2,3\n4,5", file);
	fclose(file);
	assert_int_equal(csvtable_read(&table, path), -EBADMSG);
	remove_folder(folder);
}

static void unknown_figures_are_dashes(void **state)
{
	const char *cells[] = { "x_us", "y_us", "z_us", "n", "", "1234.5", "999.4", "0" };
	const struct csvtable table = { .column_count = 4, .row_count = 1, .cells = cells };

	(void)state;
	assert_string_equal(verdict_time(&table, 0, "x_us").text, "-");
	assert_string_equal(verdict_time(&table, 0, "y_us").text, "1.23 ms");
	assert_string_equal(verdict_time(&table, 0, "z_us").text, "999 us");
	assert_string_equal(verdict_count(&table, 0, "n").text, "0");
	assert_string_equal(verdict_count(&table, 0, "x_us").text, "-");
}

static void responses_differ_between_connections(void **state)
{
	struct response response;

	(void)state;
	assert_int_equal(response_make(&response, 100000, RESPONSE_MAX_VARIANTS, 1), 0);
	for (uint64_t i = 1; i < 1000; i++)
		assert_memory_not_equal(response_body(&response, 0), response_body(&response, i),
					64);
	assert_memory_not_equal(response_body(&response, 0), response_body(&response, 0) + 8192,
				64);
	response_free(&response);
	assert_int_equal(response_make(&response, 1000, 8, 1), 0);
	assert_ptr_equal(response_body(&response, 3), response_body(&response, 11));
	response_free(&response);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quantiles_are_values_of_the_sample),
		cmocka_unit_test(the_median_is_the_middle_or_halfway_between_two),
		cmocka_unit_test(intervals_of_medians_are_those_of_the_sign_test),
		cmocka_unit_test(of_five_values_there_is_no_interval),
		cmocka_unit_test(csv_comes_back_as_it_was_written),
		cmocka_unit_test(a_torn_csv_is_refused),
		cmocka_unit_test(unknown_figures_are_dashes),
		cmocka_unit_test(responses_differ_between_connections),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
