/* SPDX-License-Identifier: MIT */
/* Ratios within blocks: what an arm is divided by, which blocks count, and what is said of them. */
#include "lingerbench/paired.c"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include <stdio.h>

enum { COLUMNS = 5, ROWS = 64, CELL = 24 };

/* A table of blocks that is filled row by row, and the arms and the one peer that it is of. */
struct crafted {
	char texts[ROWS * COLUMNS][CELL];
	const char *cells[(ROWS + 1) * COLUMNS];
	struct report_arm arms[8];
	const char *peers[1];
	struct report_data data;
};

static void begin(struct crafted *crafted)
{
	static const char *const head[COLUMNS] = { "server", "strategy", "peer", "block",
						   "throughput_per_s" };

	*crafted = (struct crafted){ .peers = { "prompt" } };
	memcpy(crafted->cells, head, sizeof(head));
	crafted->data.blocks =
		(struct csvtable){ .column_count = COLUMNS, .cells = crafted->cells };
	crafted->data.arms = crafted->arms;
	crafted->data.peers = crafted->peers;
	crafted->data.peer_count = 1;
}

/* per_s below 0: not known. */
static void add(struct crafted *crafted, size_t arm, size_t block, double per_s)
{
	size_t row = crafted->data.blocks.row_count++;
	char(*texts)[CELL] = &crafted->texts[row * COLUMNS];

	snprintf(texts[0], CELL, "%s", crafted->arms[arm].server);
	snprintf(texts[1], CELL, "%s", crafted->arms[arm].strategy);
	snprintf(texts[2], CELL, "prompt");
	snprintf(texts[3], CELL, "%zu", block);
	if (per_s >= 0)
		snprintf(texts[4], CELL, "%.1f", per_s);
	for (size_t i = 0; i < COLUMNS; i++)
		crafted->cells[(row + 1) * COLUMNS + i] = texts[i];
}

static size_t add_arm(struct crafted *crafted, const char *server, const char *strategy)
{
	crafted->arms[crafted->data.arm_count] = (struct report_arm){ server, strategy };
	return crafted->data.arm_count++;
}

static struct paired pair(struct crafted *crafted, size_t arm)
{
	struct paired paired;

	assert_int_equal(paired_read(&crafted->data, arm, 0, "throughput_per_s", &paired), 0);
	return paired;
}

static void test_partners(void **state)
{
	struct crafted crafted;
	size_t other;
	bool is_noise;

	begin(&crafted);
	add_arm(&crafted, "nginx", "native");
	add_arm(&crafted, "nginx", "lingerd");
	add_arm(&crafted, "nginx", "lingerd_again");
	add_arm(&crafted, "uwsgi", "native_again"); /* whose NAME was not run there */
	add_arm(&crafted, "uwsgi", "lingerd");
	assert_false(paired_with(&crafted.data, 0, &other, &is_noise));
	assert_true(paired_with(&crafted.data, 1, &other, &is_noise));
	assert_int_equal(other, 0);
	assert_false(is_noise);
	assert_true(paired_with(&crafted.data, 2, &other, &is_noise));
	assert_int_equal(other, 1);
	assert_true(is_noise);
	assert_false(paired_with(&crafted.data, 3, &other, &is_noise));
	assert_true(paired_with(&crafted.data, 4, &other, &is_noise));
	assert_int_equal(other, 3);
	(void)state;
}

static void test_scenario_knows_the_first(void **state)
{
	struct crafted crafted;
	size_t other;
	bool is_noise;

	begin(&crafted);
	add_arm(&crafted, "prefork", "lingerd"); /* under the first peer, the first one is void */
	add_arm(&crafted, "prefork", "close");
	crafted.data.run = json_pack("{s:{s:[s,s,s]}}", "scenario", "strategies", "so_linger",
				     "close", "lingerd");
	assert_true(paired_with(&crafted.data, 0, &other, &is_noise));
	assert_int_equal(other, 1);
	assert_false(paired_with(&crafted.data, 1, &other, &is_noise));
	json_decref(crafted.data.run);
	(void)state;
}

static void test_blocks_that_count(void **state)
{
	struct crafted crafted;
	struct paired paired;

	begin(&crafted);
	add_arm(&crafted, "prefork", "close");
	add_arm(&crafted, "prefork", "lingerd");
	add(&crafted, 0, 1, 100);
	add(&crafted, 0, 2, 0);	 /* nothing can be divided by it */
	add(&crafted, 0, 3, -1); /* not known */
	add(&crafted, 0, 5, 50);
	add(&crafted, 1, 5, 100); /* in whichever order */
	add(&crafted, 1, 1, 50);
	add(&crafted, 1, 2, 70);
	add(&crafted, 1, 3, 70);
	add(&crafted, 1, 4, 70); /* of which the other has none */
	paired = pair(&crafted, 1);
	assert_int_equal(paired.ratios.count, 2);
	assert_true(paired.median == 1.25);
	assert_false(paired.has_interval);
	assert_int_equal(paired_judge(&paired, 1), PAIRED_TOO_FEW);
	paired_free(&paired);

	add_arm(&crafted, "prefork", "so_linger");
	paired = pair(&crafted, 2);
	assert_int_equal(paired_judge(&paired, 1), PAIRED_UNKNOWN);
	paired_free(&paired);
	(void)state;
}

/* The machine's minutes differ tenfold, and the ratios do not: that is what pairs are for. */
static void test_findings(void **state)
{
	static const double minutes[] = { 100, 1000, 300, 500, 200, 700 };
	struct crafted crafted;
	struct paired paired, noise;

	begin(&crafted);
	add_arm(&crafted, "prefork", "close");
	add_arm(&crafted, "prefork", "close_again");
	add_arm(&crafted, "prefork", "lingerd");
	add_arm(&crafted, "prefork", "so_linger");
	for (size_t i = 0; i < 6; i++) {
		add(&crafted, 0, i + 1, minutes[i]);
		add(&crafted, 1, i + 1, minutes[i] * (0.8 + 0.06 * (double)i));
		add(&crafted, 2, i + 1, minutes[i] * (1.1 + 0.01 * (double)i));
		add(&crafted, 3, i + 1, minutes[i] * 0.5);
	}
	noise = pair(&crafted, 1);
	assert_int_equal(paired_judge(&noise, 1), PAIRED_NOISE);
	assert_true(fabs(paired_reach(&noise) - 1.25) < 1e-9);

	paired = pair(&crafted, 2);
	assert_true(paired.has_interval);
	assert_true(fabs(paired.low - 1.1) < 1e-9 && fabs(paired.high - 1.15) < 1e-9);
	assert_int_equal(paired_judge(&paired, 1), PAIRED_HIGHER);
	assert_int_equal(paired_judge(&paired, paired_reach(&noise)), PAIRED_WITHIN_NOISE);
	paired.low = 0.99;
	assert_int_equal(paired_judge(&paired, 1), PAIRED_INCONCLUSIVE);
	paired_free(&paired);

	paired = pair(&crafted, 3);
	assert_int_equal(paired_judge(&paired, paired_reach(&noise)), PAIRED_LOWER);
	paired_free(&paired);
	paired_free(&noise);
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_partners),
		cmocka_unit_test(test_scenario_knows_the_first),
		cmocka_unit_test(test_blocks_that_count),
		cmocka_unit_test(test_findings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
