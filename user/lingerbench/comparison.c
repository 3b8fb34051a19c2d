/* SPDX-License-Identifier: MIT */
#include "lingerbench/comparison.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lingerbench/sample.h"

const struct compared_figure compared_figures[] = {
	{ "truncated", "truncated", FIGURE_SHARE, "fewer", "more" },
	{ "timeout", "timeout", FIGURE_SHARE, "fewer", "more" },
	{ "corrupt", "corrupt", FIGURE_SHARE, "fewer", "more" },
	{ "failed", "failed", FIGURE_SHARE, "fewer", "more" },
	{ "response_us_p50", "response_us", FIGURE_TIME, "faster", "slower" },
	{ "worker_hold_us_p50", "worker_hold_us", FIGURE_TIME, "shorter", "longer" },
	{ "fin_wait_2_us_p50", "fin_wait_2_us", FIGURE_TIME, "shorter", "longer" },
	{ "throughput_per_s", "throughput_per_s", FIGURE_RATE, "lower", "higher" },
	{ "cpu_us_per_connection", "cpu_us", FIGURE_TIME, "less", "more" },
	{ NULL, NULL, FIGURE_SHARE, NULL, NULL },
};

enum { FIGURES = sizeof(compared_figures) / sizeof(compared_figures[0]) - 1 };

static const double sure = 0.05;
/* What is less counts as that. Of a time, in microseconds: shorter ones say something of the clock, and nothing of a strategy. */
static double least_of(const struct compared_figure *figure)
{
	return figure->kind == FIGURE_TIME ? 1 : 0.05;
}

/* A server, strategy and peer. */
struct group {
	const char *server;
	const char *strategy;
	const char *peer;
};

static struct group group_of(const struct csvtable *table, size_t row)
{
	return (struct group){ csvtable_text(table, row, "server"),
			       csvtable_text(table, row, "strategy"),
			       csvtable_text(table, row, "peer") };
}

static bool is_in(const struct csvtable *table, size_t row, const struct group *group)
{
	struct group other = group_of(table, row);

	return !strcmp(group->strategy, other.strategy) && !strcmp(group->peer, other.peer) &&
	       !strcmp(group->server, other.server);
}

/* Whether one of the first so many rows is of the group; most often it is the last one. */
static bool has(const struct csvtable *table, size_t rows, const struct group *group)
{
	for (size_t row = rows; row > 0; row--)
		if (is_in(table, row - 1, group))
			return true;
	return false;
}

/* The figure in each block; sides that do not have it are empty. */
static int collect_values(const struct csvtable *table, const struct group *group,
			  const struct compared_figure *figure, struct sample *ret)
{
	double value;

	for (size_t row = 0; row < table->row_count; row++)
		if (is_in(table, row, group) &&
		    csvtable_number(table, row, figure->column, &value) && sample_add(ret, value))
			return -ENOMEM;
	return 0;
}

static struct compared_side side_of_values(struct sample *sample, double least)
{
	struct compared_side side = { .blocks = sample->count };

	sample_median(sample, &side.value);
	for (size_t i = 0; i < sample->count; i++)
		sample->values[i] = log(sample->values[i] > least ? sample->values[i] : least);
	return side;
}

static enum finding finding_of_error(int error, const struct comparison *comparison)
{
	if (!error)
		return FINDING_INCONCLUSIVE; /* until all of them are known */
	return comparison->a.blocks && comparison->b.blocks ? FINDING_TOO_FEW : FINDING_UNKNOWN;
}

static int compare_values(struct comparison *comparison, const struct csvtable *a,
			  const struct csvtable *b, const struct group *group, double margin)
{
	struct sample of_a = { 0 }, of_b = { 0 };
	int error = collect_values(a, group, comparison->figure, &of_a);

	if (!error)
		error = collect_values(b, group, comparison->figure, &of_b);
	if (!error) {
		comparison->a = side_of_values(&of_a, least_of(comparison->figure));
		comparison->b = side_of_values(&of_b, least_of(comparison->figure));
		error = difference_of_values(of_a.values, of_a.count, of_b.values, of_b.count,
					     log1p(margin), &comparison->difference);
	}
	sample_free(&of_a);
	sample_free(&of_b);
	if (error == -ENOMEM)
		return error;
	comparison->finding = finding_of_error(error, comparison);
	return 0;
}

/* In `shares`, which has room for all rows of the table. */
static struct compared_side collect_shares(const struct csvtable *table, const struct group *group,
					   const char *column, struct share *shares)
{
	struct compared_side side = { 0 };

	for (size_t row = 0; row < table->row_count; row++) {
		struct share *share = &shares[side.blocks];

		if (!is_in(table, row, group) ||
		    !csvtable_number(table, row, column, &share->count) ||
		    !csvtable_number(table, row, "connections", &share->of))
			continue;
		side.blocks++;
		side.count += share->count;
		side.of += share->of;
	}
	side.value = side.of > 0 ? side.count / side.of : 0;
	return side;
}

static int compare_shares(struct comparison *comparison, const struct csvtable *a,
			  const struct csvtable *b, const struct group *group)
{
	struct share *of_a = calloc(a->row_count + 1, sizeof(*of_a));
	struct share *of_b = calloc(b->row_count + 1, sizeof(*of_b));
	int error = -ENOMEM;

	if (of_a && of_b) {
		comparison->a = collect_shares(a, group, comparison->figure->column, of_a);
		comparison->b = collect_shares(b, group, comparison->figure->column, of_b);
		error = difference_of_shares(of_a, comparison->a.blocks, of_b, comparison->b.blocks,
					     &comparison->difference);
	}
	free(of_a);
	free(of_b);
	if (error == -ENOMEM)
		return error;
	comparison->finding = finding_of_error(error, comparison);
	return 0;
}

static int compare_group(struct comparisons *comparisons, const struct csvtable *a,
			 const struct csvtable *b, const struct group *group)
{
	int error = 0;

	for (const struct compared_figure *figure = compared_figures; figure->column && !error;
	     figure++) {
		struct comparison *comparison = &comparisons->list[comparisons->count];

		*comparison = (struct comparison){ .server = group->server,
						   .strategy = group->strategy,
						   .peer = group->peer,
						   .figure = figure,
						   .p = NAN };
		if (figure->kind == FIGURE_SHARE)
			error = compare_shares(comparison, a, b, group);
		else
			error = compare_values(comparison, a, b, group, comparisons->margin);
		/* What neither has, as without the tracer, is not worth a line. */
		comparisons->count += comparison->a.blocks || comparison->b.blocks;
	}
	return error;
}

static void add_lone(struct comparisons *comparisons, const struct group *group, bool in_a)
{
	comparisons->lone[comparisons->lone_count++] =
		(struct lone_row){ .in_a = in_a,
				   .server = group->server,
				   .strategy = group->strategy,
				   .peer = group->peer };
}

/* Each group of A in its order, then those that only B has. */
static int compare_groups(struct comparisons *comparisons, const struct csvtable *a,
			  const struct csvtable *b)
{
	int error = 0;

	for (size_t row = 0; row < a->row_count && !error; row++) {
		struct group group = group_of(a, row);

		if (has(a, row, &group))
			continue;
		if (has(b, b->row_count, &group))
			error = compare_group(comparisons, a, b, &group);
		else
			add_lone(comparisons, &group, true);
	}
	for (size_t row = 0; row < b->row_count; row++) {
		struct group group = group_of(b, row);

		if (!has(b, row, &group) && !has(a, a->row_count, &group))
			add_lone(comparisons, &group, false);
	}
	return error;
}

bool comparison_has_difference(const struct comparison *comparison)
{
	return comparison->finding >= FINDING_INCONCLUSIVE;
}

/* All, or none, of both: there is nothing that could have been found. */
static bool could_not_differ(const struct comparison *comparison)
{
	double value = comparison->a.value;

	return comparison->figure->kind == FIGURE_SHARE && value == comparison->b.value &&
	       (value == 0 || value == 1);
}

static int adjust(struct comparisons *comparisons)
{
	double *p = calloc(comparisons->count + 1, sizeof(*p));
	size_t count = 0;
	int error;

	if (!p)
		return -ENOMEM;
	for (size_t i = 0; i < comparisons->count; i++)
		if (comparison_has_difference(&comparisons->list[i]) &&
		    !could_not_differ(&comparisons->list[i]))
			p[count++] = comparisons->list[i].difference.p;
	error = difference_adjust(p, count);
	comparisons->compared = count;
	count = 0;
	for (size_t i = 0; i < comparisons->count; i++)
		if (comparison_has_difference(&comparisons->list[i]) &&
		    !could_not_differ(&comparisons->list[i]))
			comparisons->list[i].p = p[count++];
	free(p);
	return error;
}

static enum finding judge(const struct comparison *comparison, double margin)
{
	const struct difference *difference = &comparison->difference;
	double most = log1p(margin);

	if (!isnan(comparison->p) && comparison->p <= sure)
		return difference->estimate < 0 ? FINDING_LOWER : FINDING_HIGHER;
	if (could_not_differ(comparison))
		return FINDING_EQUAL;
	if (comparison->figure->kind == FIGURE_SHARE)
		return FINDING_INCONCLUSIVE;
	if (difference->low == 0 && difference->high == 0)
		return FINDING_EQUAL;
	return difference->low >= -most && difference->high <= most ? FINDING_SAME
								    : FINDING_INCONCLUSIVE;
}

/* With so few blocks even the clearest difference of a time has too large a p for so many comparisons. */
static void look_for_blocks(struct comparisons *comparisons)
{
	double best = INFINITY;
	size_t wanted = DIFFERENCE_LEAST_BLOCKS;

	for (size_t i = 0; i < comparisons->count; i++) {
		const struct comparison *comparison = &comparisons->list[i];
		double p;

		if (comparison->figure->kind == FIGURE_SHARE ||
		    !comparison_has_difference(comparison))
			continue;
		p = 2 * difference_mann_whitney(comparison->a.blocks, comparison->b.blocks, 0);
		best = p < best ? p : best;
	}
	if (!isfinite(best) || best * (double)comparisons->compared <= sure)
		return;
	while (2 * difference_mann_whitney(wanted, wanted, 0) * (double)comparisons->compared >
	       sure)
		wanted++;
	comparisons->blocks_wanted = wanted;
}

int comparisons_make(struct comparisons *ret, const struct csvtable *a, const struct csvtable *b,
		     double margin)
{
	struct comparisons comparisons = { .margin = margin };
	int error = -ENOMEM;

	comparisons.list = calloc(a->row_count * FIGURES + 1, sizeof(*comparisons.list));
	comparisons.lone = calloc(a->row_count + b->row_count + 1, sizeof(*comparisons.lone));
	if (comparisons.list && comparisons.lone)
		error = compare_groups(&comparisons, a, b);
	if (!error)
		error = adjust(&comparisons);
	if (error) {
		comparisons_free(&comparisons);
		return error;
	}
	for (size_t i = 0; i < comparisons.count; i++) {
		struct comparison *comparison = &comparisons.list[i];

		if (comparison_has_difference(comparison))
			comparison->finding = judge(comparison, margin);
		comparisons.found += comparison->finding >= FINDING_LOWER;
	}
	look_for_blocks(&comparisons);
	*ret = comparisons;
	return 0;
}

void comparisons_free(struct comparisons *comparisons)
{
	free(comparisons->list);
	free(comparisons->lone);
	*comparisons = (struct comparisons){ 0 };
}

const char *comparison_word(const struct comparison *comparison)
{
	static const char *const words[] = {
		[FINDING_UNKNOWN] = "unknown",
		[FINDING_TOO_FEW] = "too few blocks",
		[FINDING_INCONCLUSIVE] = "inconclusive",
		[FINDING_EQUAL] = "equal",
		[FINDING_SAME] = "same",
	};

	if (comparison->finding == FINDING_LOWER)
		return comparison->figure->lower;
	if (comparison->finding == FINDING_HIGHER)
		return comparison->figure->higher;
	return words[comparison->finding];
}
