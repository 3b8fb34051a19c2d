/* SPDX-License-Identifier: MIT */
#include "lingerbench/results.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "lingerbench/blocks_csv.h"
#include "lingerbench/connections_csv.h"
#include "lingerbench/join.h"
#include "lingerbench/summary.h"

struct writing {
	const struct scenario *scenario;
	const struct plan *plan;
	const struct tracelog *log;
	bool tracing;
	struct warnings *warnings;
	struct csv *connections;
	struct csv *blocks;
	struct csv *summary;
	struct joined_row *rows; /* of the trial at hand */
	double *baseline_per_s; /* throughput of the first arm under this peer, by block; 0: none */
};

/* The first arm of a scenario comes first here, too. */
static double baseline_of(const struct writing *writing, const struct trial *trial)
{
	double *baseline = &writing->baseline_per_s[trial->block - 1];

	if (trial->arm == &writing->scenario->arms[0] &&
	    (trial->is_void || !summary_throughput(writing->rows, trial->rows->begun, baseline)))
		*baseline = 0;
	return *baseline;
}

/* What it did alone, in the same words as the summary of all blocks. */
static int add_block(struct writing *writing, const struct trial *trial, size_t count)
{
	struct summary block = { .arm = trial->arm,
				 .peer = trial->peer,
				 .tracing = writing->tracing && !trial->arm->strategy.untraced };
	int error = summary_add(&block, trial, writing->rows, count, 0);

	if (!error)
		error = blocks_csv_row(writing->blocks, trial,
				       (size_t)(trial - writing->plan->trials) + 1, &block);
	summary_free(&block);
	return error;
}

static int add_trial(struct writing *writing, const struct trial *trial, struct summary *summary)
{
	size_t count = trial->rows->begun;
	int error = join_rows(trial->rows, count, writing->log,
			      !program_is_builtin(trial->arm->program), writing->rows);

	if (!error)
		error = connections_csv_rows(writing->connections, trial, writing->rows, count);
	if (!error && trial->is_void)
		baseline_of(writing, trial); /* the others have none, then */
	else if (!error)
		error = summary_add(summary, trial, writing->rows, count,
				    baseline_of(writing, trial));
	if (!error && !trial->is_void)
		error = add_block(writing, trial, count);
	return error;
}

/* Its row would look like the strategy's, and be the server's own. */
static void warn_of_fallbacks(struct warnings *warnings, const struct summary *summary)
{
	const char *arm = summary->arm->label, *peer = summary->peer->name;

	if (summary->arm->strategy.needs_lingerd && summary->fallbacks_unknown)
		warnings_add(warnings,
			     "%s under %s: how many of the connections that were measured lingerd "
			     "got "
			     "is not known",
			     arm, peer);
	else if (summary->fallbacks)
		warnings_add(warnings,
			     "%s under %s: %llu of %llu connections %s, and closed by the server "
			     "itself",
			     arm, peer, (unsigned long long)summary->fallbacks,
			     (unsigned long long)summary->connections,
			     summary->arm->strategy.needs_lingerd
				     ? "were not handed over"
				     : "found no room to linger beside their worker");
}

/* Nobody is to take it for what the strategy costs. */
static void warn_of_added_hold(const struct writing *writing, const struct arm *arm)
{
	uint64_t ns = added_hold_of(&writing->scenario->added_holds, arm->strategy.name);

	if (ns && program_is_builtin(arm->program))
		warnings_add(writing->warnings,
			     "%s: its workers slept %g us before each close ([strategies] "
			     "added-hold)",
			     arm->label, (double)ns / 1e3);
}

/* A peer whose script never looks for the end of the response has not missed it. */
static void warn_of_incomplete(struct warnings *warnings, const struct summary *summary)
{
	uint64_t incomplete = summary_incomplete(summary);

	if (!peer_looks_for_end(summary->peer))
		incomplete -= summary->outcomes[OUTCOME_UNFINISHED];
	if (incomplete)
		warnings_add(warnings,
			     "%s under %s: %llu of %llu connections timed out, failed or were "
			     "corrupt",
			     summary->arm->label, summary->peer->name,
			     (unsigned long long)incomplete,
			     (unsigned long long)summary->connections);
}

/*
 * All blocks of one arm under one peer. There may be none, of an interrupted run or because all are void: then
 * there is no row.
 */
static int write_group(struct writing *writing, const struct arm *arm, const struct peer *peer)
{
	struct summary summary = { .arm = arm,
				   .peer = peer,
				   .tracing = writing->tracing && !arm->strategy.untraced };
	size_t trials = 0;
	int error = 0;

	for (size_t i = 0; i < writing->plan->count && !error; i++) {
		const struct trial *trial = &writing->plan->trials[i];

		if (trial->arm != arm || trial->peer != peer)
			continue;
		error = add_trial(writing, trial, &summary);
		trials += !trial->is_void;
	}
	if (!trials)
		return error;
	warn_of_incomplete(writing->warnings, &summary);
	warn_of_fallbacks(writing->warnings, &summary);
	if (!error)
		error = summary_csv_row(writing->summary, &summary);
	summary_free(&summary);
	return error;
}

static int write_groups(struct writing *writing)
{
	const struct scenario *scenario = writing->scenario;
	int error = connections_csv_head(writing->connections);

	if (!error)
		error = blocks_csv_head(writing->blocks);
	if (!error)
		error = summary_csv_head(writing->summary);
	for (size_t a = 0; a < scenario->arm_count; a++)
		warn_of_added_hold(writing, &scenario->arms[a]);
	for (size_t p = 0; p < scenario->peer_count; p++) {
		/* Of an interrupted run, a block may lack the first arm under this peer. */
		for (size_t block = 0; block < scenario->blocks; block++)
			writing->baseline_per_s[block] = 0;
		for (size_t a = 0; a < scenario->arm_count && !error; a++)
			error = write_group(writing, &scenario->arms[a], scenario->peers[p]);
	}
	return error;
}

static int create(struct csv **ret, const char *folder, const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return csv_create(ret, path);
}

static int write_files(struct writing *writing, const char *folder)
{
	int error = create(&writing->connections, folder, "connections.csv");
	int close_error;
	char path[PATH_MAX];

	if (!error)
		error = create(&writing->blocks, folder, "blocks.csv");
	if (!error)
		error = create(&writing->summary, folder, "summary.csv");
	if (!error)
		error = write_groups(writing);
	close_error = csv_close(writing->connections);
	error = error ? error : close_error;
	close_error = csv_close(writing->blocks);
	error = error ? error : close_error;
	close_error = csv_close(writing->summary);
	error = error ? error : close_error;
	if (error)
		return error;
	snprintf(path, sizeof(path), "%s/connections.csv", folder);
	return compressing_file(path, writing->scenario->compressing);
}

int results_write(const char *folder, const struct scenario *scenario, const struct plan *plan,
		  const struct tracelog *log, bool tracing, struct warnings *warnings)
{
	struct writing writing = { .scenario = scenario,
				   .plan = plan,
				   .log = log,
				   .tracing = tracing,
				   .warnings = warnings };
	int error = -ENOMEM;

	writing.rows = calloc(scenario->connections, sizeof(*writing.rows));
	writing.baseline_per_s = calloc(scenario->blocks, sizeof(*writing.baseline_per_s));
	if (writing.rows && writing.baseline_per_s)
		error = write_files(&writing, folder);
	free(writing.rows);
	free(writing.baseline_per_s);
	return error;
}
