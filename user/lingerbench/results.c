/* SPDX-License-Identifier: MIT */
#include "lingerbench/results.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

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
	struct csv *summary;
	struct joined_row *rows; /* of the trial at hand */
	double *baseline_per_s; /* throughput of the first strategy under this peer, by block; 0: none */
};

/* The first strategy of a scenario comes first here, too. */
static double baseline_of(const struct writing *writing, const struct trial *trial)
{
	double *baseline = &writing->baseline_per_s[trial->block - 1];

	if (trial->strategy == writing->scenario->strategies[0] &&
	    !summary_throughput(writing->rows, trial->rows->begun, baseline))
		*baseline = 0;
	return *baseline;
}

static int add_trial(struct writing *writing, const struct trial *trial, struct summary *summary)
{
	size_t count = trial->rows->begun;
	int error = join_rows(trial->rows, count, writing->log, !program_is_builtin(trial->program),
			      writing->rows);

	if (!error)
		error = connections_csv_rows(writing->connections, trial, writing->rows, count);
	if (!error)
		error = summary_add(summary, trial, writing->rows, count,
				    baseline_of(writing, trial));
	return error;
}

/* Its row would look like lingerd's, and be the server's own. */
static void warn_of_fallbacks(struct warnings *warnings, const struct summary *summary)
{
	if (!summary->strategy->needs_lingerd)
		return;
	if (summary->fallbacks_unknown)
		warnings_add(warnings,
			     "%s under %s: lingerd did not say how many connections it got",
			     summary->strategy->name, summary->peer->name);
	else if (summary->fallbacks)
		warnings_add(warnings,
			     "%s under %s: %llu of %llu connections were not handed over, and "
			     "closed by "
			     "the server itself",
			     summary->strategy->name, summary->peer->name,
			     (unsigned long long)summary->fallbacks,
			     (unsigned long long)summary->connections);
}

/* All blocks of one strategy under one peer. */
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
			     summary->strategy->name, summary->peer->name,
			     (unsigned long long)incomplete,
			     (unsigned long long)summary->connections);
}

static int write_group(struct writing *writing, const struct strategy *strategy,
		       const struct peer *peer)
{
	struct summary summary = { .program = writing->scenario->program,
				   .strategy = strategy,
				   .peer = peer,
				   .tracing = writing->tracing };
	int error = 0;

	for (size_t i = 0; i < writing->plan->count && !error; i++) {
		const struct trial *trial = &writing->plan->trials[i];

		if (trial->strategy == strategy && trial->peer == peer)
			error = add_trial(writing, trial, &summary);
	}
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
		error = summary_csv_head(writing->summary);
	for (size_t p = 0; p < scenario->peer_count; p++)
		for (size_t s = 0; s < scenario->strategy_count && !error; s++)
			error = write_group(writing, scenario->strategies[s], scenario->peers[p]);
	return error;
}

int results_write(const char *folder, const struct scenario *scenario, const struct plan *plan,
		  const struct tracelog *log, bool tracing, struct warnings *warnings)
{
	struct writing writing = { .scenario = scenario,
				   .plan = plan,
				   .log = log,
				   .tracing = tracing,
				   .warnings = warnings };
	char path[PATH_MAX];
	int error, close_error;

	writing.rows = calloc(scenario->connections, sizeof(*writing.rows));
	writing.baseline_per_s = calloc(scenario->blocks, sizeof(*writing.baseline_per_s));
	if (!writing.rows || !writing.baseline_per_s) {
		free(writing.rows);
		free(writing.baseline_per_s);
		return -ENOMEM;
	}
	snprintf(path, sizeof(path), "%s/connections.csv", folder);
	error = csv_create(&writing.connections, path);
	snprintf(path, sizeof(path), "%s/summary.csv", folder);
	if (!error)
		error = csv_create(&writing.summary, path);
	if (!error)
		error = write_groups(&writing);
	close_error = csv_close(writing.connections);
	error = error ? error : close_error;
	close_error = csv_close(writing.summary);
	free(writing.rows);
	free(writing.baseline_per_s);
	return error ? error : close_error;
}
