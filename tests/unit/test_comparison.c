/* SPDX-License-Identifier: MIT */
/* Two tables of blocks compared: what is found, what is not, and what there is nothing to say of. */
#include "lingerbench/comparison.c"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include <stdio.h>

enum { COLUMNS = 8, ROWS = 40, CELL = 24 };

/* A table that is filled row by row. */
struct crafted {
	char texts[ROWS * COLUMNS][CELL];
	const char *cells[(ROWS + 1) * COLUMNS];
	struct csvtable table;
};

static void begin(struct crafted *crafted)
{
	static const char *const head[COLUMNS] = { "server",
						   "strategy",
						   "peer",
						   "block",
						   "connections",
						   "truncated",
						   "worker_hold_us_p50",
						   "throughput_per_s" };

	memcpy(crafted->cells, head, sizeof(head));
	crafted->table = (struct csvtable){ .column_count = COLUMNS, .cells = crafted->cells };
}

/* hold or per_s below 0: not known. */
static void add(struct crafted *crafted, const char *strategy, int truncated, double hold,
		double per_s)
{
	size_t row = crafted->table.row_count++;
	char(*texts)[CELL] = &crafted->texts[row * COLUMNS];

	snprintf(texts[0], CELL, "prefork");
	snprintf(texts[1], CELL, "%s", strategy);
	snprintf(texts[2], CELL, "prompt");
	snprintf(texts[3], CELL, "%zu", row + 1);
	snprintf(texts[4], CELL, "60");
	snprintf(texts[5], CELL, "%d", truncated);
	if (hold >= 0)
		snprintf(texts[6], CELL, "%.1f", hold);
	if (per_s >= 0)
		snprintf(texts[7], CELL, "%.1f", per_s);
	for (size_t i = 0; i < COLUMNS; i++)
		crafted->cells[(row + 1) * COLUMNS + i] = texts[i];
}

/* So many blocks around these figures, no two of them the same. */
static void add_blocks(struct crafted *crafted, const char *strategy, int count, int truncated,
		       double hold, double per_s)
{
	for (int i = 0; i < count; i++)
		add(crafted, strategy, truncated, hold * (1 + (i * 7 % count) / 100.0),
		    per_s * (1 + (i * 5 % count) / 100.0));
}

static const struct comparison *look(const struct comparisons *comparisons, const char *strategy,
				     const char *figure)
{
	for (size_t i = 0; i < comparisons->count; i++)
		if (!strcmp(comparisons->list[i].strategy, strategy) &&
		    !strcmp(comparisons->list[i].figure->name, figure))
			return &comparisons->list[i];
	return NULL;
}

static void assert_word(const struct comparisons *comparisons, const char *strategy,
			const char *figure, const char *word)
{
	const struct comparison *comparison = look(comparisons, strategy, figure);

	assert_non_null(comparison);
	assert_string_equal(comparison_word(comparison), word);
}

static void a_table_compared_with_itself_is_equal_or_the_same(void **state)
{
	static struct crafted a;
	struct comparisons comparisons;

	(void)state;
	begin(&a);
	add_blocks(&a, "close", 8, 3, 20, 1000);
	add(&a, "lingerd", 0, 7, 50);
	for (int i = 0; i < 7; i++)
		add(&a, "lingerd", 0, 7, 50);
	assert_int_equal(comparisons_make(&comparisons, &a.table, &a.table, 0.1), 0);
	assert_int_equal(comparisons.found, 0);
	assert_word(&comparisons, "close", "worker_hold_us", "same");
	assert_word(&comparisons, "close", "throughput_per_s", "same");
	assert_word(&comparisons, "close", "truncated", "inconclusive");
	assert_word(&comparisons, "lingerd", "worker_hold_us", "equal");
	assert_word(&comparisons, "lingerd", "truncated", "equal");
	/* No column of the response and of CPU: no line of them. */
	assert_null(look(&comparisons, "lingerd", "response_us"));
	/* No truncated response in either: that is no comparison. */
	assert_int_equal(comparisons.count, 6);
	assert_int_equal(comparisons.compared, 5);
	assert_true(isnan(look(&comparisons, "lingerd", "truncated")->p));
	comparisons_free(&comparisons);
}

static void what_differs_is_found_and_nothing_else(void **state)
{
	static struct crafted a, b;
	struct comparisons comparisons;
	const struct comparison *hold;

	(void)state;
	begin(&a);
	begin(&b);
	add_blocks(&a, "close", 8, 0, 20, 1000);
	add_blocks(&a, "lingerd", 8, 0, 10, 1000);
	add_blocks(&b, "lingerd", 8, 5, 210, 500);
	add_blocks(&b, "close", 8, 0, 20, 1000);
	assert_int_equal(comparisons_make(&comparisons, &a.table, &b.table, 0.05), 0);
	assert_int_equal(comparisons.found, 3);
	assert_word(&comparisons, "lingerd", "worker_hold_us", "longer");
	assert_word(&comparisons, "lingerd", "throughput_per_s", "lower");
	assert_word(&comparisons, "lingerd", "truncated", "more");
	hold = look(&comparisons, "lingerd", "worker_hold_us");
	assert_true(fabs(exp(hold->difference.estimate) - 21) < 0.5);
	assert_true(hold->a.blocks == 8 && hold->b.blocks == 8);
	comparisons_free(&comparisons);
	assert_int_equal(comparisons_make(&comparisons, &b.table, &a.table, 0.05), 0);
	assert_word(&comparisons, "lingerd", "worker_hold_us", "shorter");
	assert_word(&comparisons, "lingerd", "truncated", "fewer");
	assert_word(&comparisons, "lingerd", "throughput_per_s", "higher");
	comparisons_free(&comparisons);
}

static void what_is_within_the_margin_is_none(void **state)
{
	static struct crafted a, b;
	struct comparisons comparisons;

	(void)state;
	begin(&a);
	begin(&b);
	add_blocks(&a, "close", 10, 0, 100, 1000);
	add_blocks(&b, "close", 10, 0, 130, 1000);
	assert_int_equal(comparisons_make(&comparisons, &a.table, &b.table, 0.05), 0);
	assert_word(&comparisons, "close", "worker_hold_us", "longer");
	comparisons_free(&comparisons);
	assert_int_equal(comparisons_make(&comparisons, &a.table, &b.table, 0.3), 0);
	assert_word(&comparisons, "close", "worker_hold_us", "inconclusive");
	comparisons_free(&comparisons);
	assert_int_equal(comparisons_make(&comparisons, &a.table, &b.table, 0.5), 0);
	assert_word(&comparisons, "close", "worker_hold_us", "same");
	comparisons_free(&comparisons);
}

static void five_blocks_are_too_few_and_what_is_missing_unknown(void **state)
{
	static struct crafted a, b;
	struct comparisons comparisons;

	(void)state;
	begin(&a);
	begin(&b);
	add_blocks(&a, "close", 8, 0, 20, 1000);
	add_blocks(&b, "close", 5, 0, 20, 1000);
	add_blocks(&a, "lingerd", 8, 0, -1, 1000);
	add_blocks(&b, "lingerd", 8, 0, 20, 1000);
	assert_int_equal(comparisons_make(&comparisons, &a.table, &b.table, 0.05), 0);
	assert_word(&comparisons, "close", "worker_hold_us", "too few blocks");
	assert_word(&comparisons, "close", "truncated", "too few blocks");
	assert_false(comparison_has_difference(look(&comparisons, "close", "truncated")));
	assert_word(&comparisons, "lingerd", "worker_hold_us", "unknown");
	assert_int_equal(look(&comparisons, "lingerd", "worker_hold_us")->a.blocks, 0);
	assert_int_equal(comparisons.compared, 1);
	comparisons_free(&comparisons);
}

static void rows_of_one_are_told_in_their_order(void **state)
{
	static struct crafted a, b;
	struct comparisons comparisons;

	(void)state;
	begin(&a);
	begin(&b);
	add_blocks(&a, "close", 6, 0, 20, 1000);
	add_blocks(&a, "so_linger", 6, 0, 20, 1000);
	add_blocks(&b, "lingerd", 6, 0, 20, 1000);
	add_blocks(&b, "close", 6, 0, 20, 1000);
	assert_int_equal(comparisons_make(&comparisons, &a.table, &b.table, 0.05), 0);
	assert_int_equal(comparisons.lone_count, 2);
	assert_string_equal(comparisons.lone[0].strategy, "so_linger");
	assert_true(comparisons.lone[0].in_a);
	assert_string_equal(comparisons.lone[1].strategy, "lingerd");
	assert_false(comparisons.lone[1].in_a);
	assert_int_equal(comparisons.count, 3);
	comparisons_free(&comparisons);
}

static void too_few_blocks_for_so_many_comparisons_are_told(void **state)
{
	static struct crafted a;
	struct comparisons comparisons;
	char name[CELL];

	(void)state;
	begin(&a);
	for (int i = 0; i < 6; i++) {
		snprintf(name, sizeof(name), "s%d", i);
		add_blocks(&a, name, 6, 1, 20, 1000);
	}
	/* 18 comparisons, and the least p of 6 and 6 blocks is 2/924. */
	assert_int_equal(comparisons_make(&comparisons, &a.table, &a.table, 0.05), 0);
	assert_int_equal(comparisons.compared, 18);
	assert_int_equal(comparisons.blocks_wanted, 0);
	comparisons_free(&comparisons);
	comparisons = (struct comparisons){ .compared = 100 };
	comparisons.list = calloc(1, sizeof(*comparisons.list));
	comparisons.count = 1;
	comparisons.list[0] = (struct comparison){ .figure = &compared_figures[4],
						   .finding = FINDING_INCONCLUSIVE,
						   .a.blocks = 6,
						   .b.blocks = 6 };
	look_for_blocks(&comparisons);
	assert_int_equal(comparisons.blocks_wanted, 8); /* 2/12870 * 100 <= 0.05, 2/3432 is not */
	comparisons_free(&comparisons);
}

static void a_time_of_0_has_a_logarithm(void **state)
{
	static struct crafted a, b;
	struct comparisons comparisons;

	(void)state;
	begin(&a);
	begin(&b);
	add_blocks(&a, "close", 6, 0, 0, 1000);
	add_blocks(&b, "close", 6, 0, 100, 1000);
	assert_int_equal(comparisons_make(&comparisons, &a.table, &b.table, 0.05), 0);
	assert_word(&comparisons, "close", "worker_hold_us", "longer");
	assert_true(isfinite(look(&comparisons, "close", "worker_hold_us")->difference.high));
	comparisons_free(&comparisons);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_table_compared_with_itself_is_equal_or_the_same),
		cmocka_unit_test(what_differs_is_found_and_nothing_else),
		cmocka_unit_test(what_is_within_the_margin_is_none),
		cmocka_unit_test(five_blocks_are_too_few_and_what_is_missing_unknown),
		cmocka_unit_test(rows_of_one_are_told_in_their_order),
		cmocka_unit_test(too_few_blocks_for_so_many_comparisons_are_told),
		cmocka_unit_test(a_time_of_0_has_a_logarithm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
