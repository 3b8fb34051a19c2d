/* SPDX-License-Identifier: MIT */
#include "lingerbench/comparison_text.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>

#include "lingerbench/conditions.h"
#include "lingerbench/json_text.h"

static json_t *number(double value, bool known)
{
	return known && isfinite(value) ? json_real(value) : json_null();
}

static json_t *describe_run(const struct runfolder *folder)
{
	struct conditions_trials trials = conditions_trials(folder->run);
	double others = 0;
	bool known = conditions_others(folder->run, &others);

	return json_pack("{s:o s:s s:s s:o s:I s:I s:I}", "folder", json_text(folder->path),
			 "started_utc", runfolder_text(folder, "started_utc"), "commit",
			 runfolder_text(folder, "commit"), "others", number(others, known),
			 "planned_trials", (json_int_t)trials.planned, "trials",
			 (json_int_t)trials.done, "void_trials", (json_int_t)trials.is_void);
}

/* What people read as percent is a factor here: 1.041; and a share's difference is one of shares: 0.041. */
static json_t *describe(const struct comparison *comparison)
{
	const struct difference *difference = &comparison->difference;
	bool known = comparison_has_difference(comparison);
	bool share = comparison->figure->kind == FIGURE_SHARE;

	return json_pack("{s:s s:s s:s s:s s:I s:I s:o s:o s:s s:o s:o s:o s:o s:s s:b}", "server",
			 comparison->server, "strategy", comparison->strategy, "peer",
			 comparison->peer, "figure", comparison->figure->name, "blocks_a",
			 (json_int_t)comparison->a.blocks, "blocks_b",
			 (json_int_t)comparison->b.blocks, "a",
			 number(comparison->a.value, comparison->a.blocks), "b",
			 number(comparison->b.value, comparison->b.blocks), "scale",
			 share ? "difference" : "ratio", "estimate",
			 number(share ? difference->estimate : exp(difference->estimate), known),
			 "low", number(share ? difference->low : exp(difference->low), known),
			 "high", number(share ? difference->high : exp(difference->high), known),
			 "p", number(comparison->p, known), "verdict", comparison_word(comparison),
			 "found", comparison->finding >= FINDING_LOWER);
}

static json_t *describe_lone(const struct comparisons *comparisons, bool in_a)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < comparisons->lone_count; i++) {
		const struct lone_row *row = &comparisons->lone[i];

		if (row->in_a == in_a)
			json_array_append_new(rows, json_pack("{s:s s:s s:s}", "server",
							      row->server, "strategy",
							      row->strategy, "peer", row->peer));
	}
	return rows;
}

int comparison_print_json(const struct runfolder *a, const struct runfolder *b, json_t *conditions,
			  const struct comparisons *comparisons)
{
	json_t *rows = json_array(), *root;
	int error = 0;

	for (size_t i = 0; i < comparisons->count; i++)
		json_array_append_new(rows, describe(&comparisons->list[i]));
	root = json_pack("{s:o s:o s:O s:f s:f s:I s:I s:I s:o s:o s:o}", "a", describe_run(a), "b",
			 describe_run(b), "not_alike", conditions, "confidence", 0.95, "margin",
			 comparisons->margin, "comparisons", (json_int_t)comparisons->compared,
			 "found", (json_int_t)comparisons->found, "blocks_wanted",
			 (json_int_t)comparisons->blocks_wanted, "rows", rows, "only_in_a",
			 describe_lone(comparisons, true), "only_in_b",
			 describe_lone(comparisons, false));
	if (!root)
		return -ENOMEM;
	errno = 0;
	if (json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(10)) || puts("") == EOF)
		error = errno ? -errno : -EIO;
	json_decref(root);
	return error;
}
