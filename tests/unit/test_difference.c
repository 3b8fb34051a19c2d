/* SPDX-License-Identifier: MIT */
/*
 * Statistics of two runs against known answers: those of SciPy and of the papers. (tests/cli has a referee, too, which
 * gets many more samples.)
 */
#include "lingerbench/difference.c"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* From the examples of R's wilcox.test(), some values left out; the answers are SciPy's. */
static const double a[] = { 1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06 };
static const double b[] = { 0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.061, 3.14, 1.2 };

static void assert_near(double value, double expected)
{
	if (!(fabs(value - expected) <= 1e-9 + 1e-9 * fabs(expected)))
		fail_msg("%.12g, expected %.12g", value, expected);
}

static void u_has_its_distribution(void **state)
{
	(void)state;
	assert_near(difference_mann_whitney(6, 6, 0), 1.0 / 924);
	assert_near(difference_mann_whitney(6, 6, 5), 0.020562770562770564);
	assert_near(difference_mann_whitney(6, 6, 6), 0.032467532467532464);
	assert_near(difference_mann_whitney(8, 8, 0), 1.0 / 12870);
	assert_near(difference_mann_whitney(8, 9, 72), 1);
	assert_near(difference_mann_whitney(1, 1, 0), 0.5);
	/* Both halves of it are one another's mirror. */
	for (size_t u = 0; u < 63; u++)
		assert_near(difference_mann_whitney(7, 9, u),
			    1 - difference_mann_whitney(7, 9, 62 - u));
}

static void a_shift_has_an_interval_and_a_p(void **state)
{
	struct difference difference;

	(void)state;
	assert_int_equal(difference_of_values(a, 8, b, 9, 0, &difference), 0);
	assert_near(difference.estimate, -0.625);
	assert_near(difference.low, -1.232);
	assert_near(difference.high, 0.37);
	assert_near(difference.p, 0.16717400246812014);
	assert_int_equal(difference_of_values(b, 9, a, 8, 0, &difference), 0);
	assert_near(difference.estimate, 0.625);
	assert_near(difference.low, -0.37);
	assert_near(difference.p, 0.16717400246812014);
}

static void a_margin_makes_it_harder_to_find_a_difference(void **state)
{
	double larger[6], smaller[6];
	struct difference difference;

	(void)state;
	for (int i = 0; i < 6; i++) {
		smaller[i] = i / 100.0;
		larger[i] = i / 100.0 + 0.1;
	}
	assert_int_equal(difference_of_values(smaller, 6, larger, 6, 0, &difference), 0);
	assert_near(difference.p, 2.0 / 924);
	assert_int_equal(difference_of_values(smaller, 6, larger, 6, 0.2, &difference), 0);
	assert_near(difference.p, 1);
	assert_near(difference.estimate, 0.1);
}

/* A clock that ticks coarsely must not make certain what is not. */
static void ties_are_no_difference(void **state)
{
	const double same[] = { 7, 7, 7, 7, 7, 7 };
	struct difference difference;

	(void)state;
	assert_int_equal(difference_of_values(same, 6, same, 6, 0, &difference), 0);
	assert_near(difference.p, 1);
	assert_true(difference.low == 0 && difference.high == 0 && difference.estimate == 0);
}

static void with_five_blocks_there_is_nothing_to_say(void **state)
{
	const struct share shares[] = {
		{ 1, 2 }, { 1, 2 }, { 1, 2 }, { 1, 2 }, { 1, 2 }, { 1, 2 }
	};
	struct difference difference = { .p = -1 };

	(void)state;
	assert_int_equal(difference_of_values(a, 5, b, 9, 0, &difference), -ENODATA);
	assert_int_equal(difference_of_values(a, 8, b, 5, 0, &difference), -ENODATA);
	assert_int_equal(difference_of_shares(shares, 6, shares, 5, &difference), -ENODATA);
	assert_true(difference.p == -1);
}

static void many_blocks_take_the_normal_distribution(void **state)
{
	double exact = difference_mann_whitney(50, 50, 1000);
	double near = difference_mann_whitney(50, 51, 1020);

	(void)state;
	assert_true(exact > 0.04 && exact < 0.045);
	assert_true(fabs(near / exact - 1) < 0.02);
}

static void student_s_t_has_its_tails(void **state)
{
	(void)state;
	assert_near(difference_student(2, 7), 0.08561932856297597);
	assert_near(difference_student(-2, 10), 0.07338803477074039);
	assert_near(difference_student(1, 1), 0.5);
	assert_near(difference_student(1.959963984540054, 0), 0.05);
}

/* Newcombe (1998), table II: 56 of 70 against 48 of 80, 10 of 10 against 0 of 10, 0 of 10 against 0 of 20. */
static void shares_have_newcombe_s_interval(void **state)
{
	static const struct {
		double x1, n1, x2, n2, low, high;
	} known[] = {
		{ 48, 80, 56, 70, 0.0524, 0.3339 },
		{ 0, 10, 10, 10, 0.6075, 1.0000 },
		{ 0, 20, 0, 10, -0.1611, 0.2775 },
	};
	struct difference difference;

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		struct share of_a[6] = { { known[i].x1, known[i].n1 } };
		struct share of_b[6] = { { known[i].x2, known[i].n2 } };

		/* All in one block: the others have no connection, so nothing disperses. */
		assert_int_equal(difference_of_shares(of_a, 6, of_b, 6, &difference), 0);
		assert_true(fabs(difference.low - known[i].low) < 5e-5);
		assert_true(fabs(difference.high - known[i].high) < 5e-5);
		assert_int_equal(difference.p <= 0.05, difference.low > 0);
	}
}

static void blocks_that_differ_weaken_what_is_found(void **state)
{
	struct share a_even[8], b_even[8], a_odd[8], b_odd[8];
	struct difference even, odd;

	(void)state;
	for (int i = 0; i < 8; i++) {
		a_even[i] = (struct share){ 10, 60 };
		b_even[i] = (struct share){ 18, 60 };
		a_odd[i] = (struct share){ i % 2 ? 20 : 0, 60 };
		b_odd[i] = (struct share){ i % 2 ? 36 : 0, 60 };
	}
	assert_int_equal(difference_of_shares(a_even, 8, b_even, 8, &even), 0);
	assert_int_equal(difference_of_shares(a_odd, 8, b_odd, 8, &odd), 0);
	assert_near(even.estimate, odd.estimate);
	assert_true(even.p < 0.001);
	assert_true(odd.p > 0.2);
	assert_true(odd.low < 0 && even.low > 0);
}

static void all_and_none_of_them_are_as_far_apart_as_can_be(void **state)
{
	struct share none[6], all[6];
	struct difference difference;

	(void)state;
	for (int i = 0; i < 6; i++) {
		none[i] = (struct share){ 0, 60 };
		all[i] = (struct share){ 60, 60 };
	}
	assert_int_equal(difference_of_shares(none, 6, all, 6, &difference), 0);
	assert_true(difference.p < 1e-12 && difference.low > 0.97);
	assert_int_equal(difference_of_shares(none, 6, none, 6, &difference), 0);
	assert_near(difference.p, 1);
}

/* Holm (1979); R: p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm"). */
static void holm_adjusts_for_how_many_there_are(void **state)
{
	double p[] = { 0.01, 0.04, 0.03, 0.005 };
	double many[] = { 0.5, 0.9 };

	(void)state;
	assert_int_equal(difference_adjust(p, 4), 0);
	assert_near(p[0], 0.03);
	assert_near(p[1], 0.06);
	assert_near(p[2], 0.06);
	assert_near(p[3], 0.02);
	assert_int_equal(difference_adjust(many, 2), 0);
	assert_true(many[0] == 1 && many[1] == 1);
	assert_int_equal(difference_adjust(many, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(u_has_its_distribution),
		cmocka_unit_test(a_shift_has_an_interval_and_a_p),
		cmocka_unit_test(a_margin_makes_it_harder_to_find_a_difference),
		cmocka_unit_test(ties_are_no_difference),
		cmocka_unit_test(with_five_blocks_there_is_nothing_to_say),
		cmocka_unit_test(many_blocks_take_the_normal_distribution),
		cmocka_unit_test(student_s_t_has_its_tails),
		cmocka_unit_test(shares_have_newcombe_s_interval),
		cmocka_unit_test(blocks_that_differ_weaken_what_is_found),
		cmocka_unit_test(all_and_none_of_them_are_as_far_apart_as_can_be),
		cmocka_unit_test(holm_adjusts_for_how_many_there_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
