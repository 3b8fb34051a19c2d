/* SPDX-License-Identifier: MIT */
#include "lingerbench/comparison_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/units.h"
#include "lingerbench/conditions.h"
#include "lingerbench/verdict.h"

struct text {
	char text[40];
};

static void print_run(const char *letter, const struct runfolder *folder)
{
	struct conditions_trials trials = conditions_trials(folder->run);
	double others;
	size_t warnings = json_array_size(json_object_get(folder->run, "warnings"));
	const json_t *scenario = json_object_get(folder->run, "scenario");
	const char *name = json_string_value(json_object_get(scenario, "name"));

	printf("%s  %s: %s, %s, commit %s", letter, folder->path, name ? name : "?",
	       runfolder_text(folder, "started_utc"), runfolder_text(folder, "commit"));
	if (conditions_others(folder->run, &others))
		printf(", others had %.0f %% of the CPUs", others * 100);
	if (trials.done < trials.planned)
		printf(", interrupted after %zu of %zu trials", trials.done, trials.planned);
	if (trials.is_void)
		printf(", %zu void trial%s", trials.is_void, units_plural(trials.is_void));
	if (warnings)
		printf(", %zu warning%s (report.html)", warnings, units_plural(warnings));
	puts("");
}

static void print_side(const char *letter, const json_t *value)
{
	char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(6));

	if (json_is_string(value))
		printf("%s in %s", json_string_value(value), letter);
	else if (json_is_null(value))
		printf("not there in %s", letter);
	else
		printf("%s in %s", text ? text : "?", letter);
	free(text);
}

static void print_conditions(const json_t *conditions)
{
	size_t i;
	json_t *condition;

	if (json_array_size(conditions))
		puts("\nnot alike:");
	json_array_foreach (conditions, i, condition) {
		printf("  %s: ", json_string_value(json_object_get(condition, "name")));
		print_side("A", json_object_get(condition, "a"));
		fputs(", ", stdout);
		print_side("B", json_object_get(condition, "b"));
		puts("");
	}
}

static struct text value_text(const struct comparison *comparison, const struct compared_side *side)
{
	struct text text = { "-" };

	if (!side->blocks)
		return text;
	if (comparison->figure->kind == FIGURE_SHARE)
		snprintf(text.text, sizeof(text.text), "%.0f/%.0f", side->count, side->of);
	else if (comparison->figure->kind == FIGURE_TIME)
		snprintf(text.text, sizeof(text.text), "%s", verdict_us(side->value).text);
	else
		snprintf(text.text, sizeof(text.text), "%.0f", side->value);
	return text;
}

/* A ratio as people say it: "+4.1 %"; "x 31" where percents would be thousands, or all but 100. */
static bool is_far(const struct difference *difference)
{
	double limit = log(5);

	return difference->low < -limit || difference->high > limit;
}

static struct text difference_text(const struct comparison *comparison)
{
	double estimate = comparison->difference.estimate;
	struct text text = { "" };

	if (!comparison_has_difference(comparison))
		return text;
	if (comparison->figure->kind == FIGURE_SHARE)
		snprintf(text.text, sizeof(text.text), "%+.1f pt", estimate * 100);
	else if (is_far(&comparison->difference))
		snprintf(text.text, sizeof(text.text), "x %.3g", exp(estimate));
	else
		snprintf(text.text, sizeof(text.text), "%+.1f %%", expm1(estimate) * 100);
	return text;
}

static struct text interval_text(const struct comparison *comparison)
{
	double low = comparison->difference.low, high = comparison->difference.high;
	struct text text = { "" };

	if (!comparison_has_difference(comparison))
		return text;
	if (comparison->figure->kind == FIGURE_SHARE)
		snprintf(text.text, sizeof(text.text), "%+.1f to %+.1f", low * 100, high * 100);
	else if (is_far(&comparison->difference))
		snprintf(text.text, sizeof(text.text), "%.3g to %.3g", exp(low), exp(high));
	else
		snprintf(text.text, sizeof(text.text), "%+.1f to %+.1f", expm1(low) * 100,
			 expm1(high) * 100);
	return text;
}

static struct text p_text(const struct comparison *comparison)
{
	struct text text = { "" };

	if (!isnan(comparison->p) && comparison->p < 0.0001)
		snprintf(text.text, sizeof(text.text), "<0.0001");
	else if (!isnan(comparison->p))
		snprintf(text.text, sizeof(text.text), "%.4f", comparison->p);
	return text;
}

#define ROW_FORMAT "%-16s %10s %10s %9s %18s %8s  %s\n"

static void print_table(const struct comparisons *comparisons)
{
	const struct comparison *before = NULL;

	if (!comparisons->count)
		return;
	printf("\n" ROW_FORMAT, "", "A", "B", "B to A", "95 % interval", "p", "B is");
	for (size_t i = 0; i < comparisons->count; i++) {
		const struct comparison *comparison = &comparisons->list[i];

		if (!before || comparison->strategy != before->strategy)
			printf("\n%s, %s, %s\n", comparison->server, comparison->strategy,
			       comparison->peer);
		printf(ROW_FORMAT, comparison->figure->name,
		       value_text(comparison, &comparison->a).text,
		       value_text(comparison, &comparison->b).text,
		       difference_text(comparison).text, interval_text(comparison).text,
		       p_text(comparison).text, comparison_word(comparison));
		before = comparison;
	}
}

static void print_lone(const struct comparisons *comparisons)
{
	if (comparisons->lone_count)
		puts("");
	for (size_t i = 0; i < comparisons->lone_count; i++) {
		const struct lone_row *row = &comparisons->lone[i];

		printf("only %s has %s, %s, %s\n", row->in_a ? "A" : "B", row->server,
		       row->strategy, row->peer);
	}
}

/* The fewest blocks that any figure has on a side. */
static size_t fewest_blocks(const struct comparisons *comparisons)
{
	size_t fewest = SIZE_MAX;

	for (size_t i = 0; i < comparisons->count; i++) {
		const struct comparison *comparison = &comparisons->list[i];

		if (comparison->finding != FINDING_TOO_FEW)
			continue;
		if (comparison->a.blocks < fewest)
			fewest = comparison->a.blocks;
		if (comparison->b.blocks < fewest)
			fewest = comparison->b.blocks;
	}
	return fewest;
}

/* Blocks of one run share its minutes, so no statistics of them knows that those of the other one were busier. */
static void print_others(const struct runfolder *a, const struct runfolder *b)
{
	enum { POINTS_MOST = 10 };
	double of_a, of_b;

	if (!conditions_others(a->run, &of_a) || !conditions_others(b->run, &of_b) ||
	    fabs(of_a - of_b) * 100 < POINTS_MOST)
		return;
	printf("others kept the machine busier in %s: what differs may be of that; run both again, "
	       "or in turn\n",
	       of_a > of_b ? "A" : "B");
}

static void print_conclusion(const struct comparisons *comparisons)
{
	size_t few = fewest_blocks(comparisons);

	if (!comparisons->count) {
		return;
	}
	puts("");
	if (few != SIZE_MAX)
		printf("%zu block%s: too few for an interval, which takes %d on each side ([load] "
		       "blocks)\n",
		       few, units_plural(few), DIFFERENCE_LEAST_BLOCKS);
	if (!comparisons->compared)
		return;
	printf("%zu difference%s found among %zu comparison%s; where nothing differs, 1 table in "
	       "20 "
	       "shows any (Holm)\n",
	       comparisons->found, units_plural(comparisons->found), comparisons->compared,
	       units_plural(comparisons->compared));
	printf("times and rates: medians of the blocks, differences up to %g %% count as none; "
	       "each "
	       "interval is of its figure alone\n",
	       comparisons->margin * 100);
	if (comparisons->blocks_wanted)
		printf("with so many comparisons no difference of a time or a rate could be found; "
		       "%zu blocks in each run could\n",
		       comparisons->blocks_wanted);
}

void comparison_print(const struct runfolder *a, const struct runfolder *b, json_t *conditions,
		      const struct comparisons *comparisons)
{
	print_run("A", a);
	print_run("B", b);
	print_conditions(conditions);
	print_table(comparisons);
	print_lone(comparisons);
	print_conclusion(comparisons);
	print_others(a, b);
}
