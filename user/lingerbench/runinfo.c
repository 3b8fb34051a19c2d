/* SPDX-License-Identifier: MIT */
#include "lingerbench/runinfo.h"

#include <errno.h>
#include <stdio.h>

#include "lingerbench/environment.h"
#include "lingerbench/json_text.h"
#include "lingerbench/scenario_json.h"

static json_t *describe_trials(const struct plan *plan)
{
	json_t *trials = json_array();

	for (size_t i = 0; i < plan->count; i++) {
		const struct trial *trial = &plan->trials[i];

		json_array_append_new(trials,
				      json_pack("{s:I s:s s:s s:s s:I s:b s:f s:o}", "block",
						(json_int_t)trial->block, "server",
						program_label(trial->arm->program), "strategy",
						trial->arm->strategy.name, "peer",
						trial->peer->name, "connections",
						(json_int_t)trial->rows->begun, "void",
						trial->is_void, "duration_s",
						(double)(trial->ended_ns - trial->started_ns) / 1e9,
						"cpu_us",
						trial->cpu_known
							? json_integer((json_int_t)trial->cpu_us)
							: json_null()));
	}
	return trials;
}

static json_t *describe_trace(const struct tracing *tracing)
{
	const struct tracer_counts *counts = &tracing->counts;

	if (tracing->impossible)
		return json_pack("{s:b s:s}", "traced", 0, "reason", tracing->impossible);
	return json_pack("{s:b s:I s:I s:I s:I}", "traced", 1, "records",
			 (json_int_t)tracing->log.count, "lost_ring_full",
			 (json_int_t)counts->ring_full, "lost_map_full",
			 (json_int_t)counts->map_full, "missed_events",
			 (json_int_t)counts->missed_events);
}

static json_t *describe_warnings(const struct warnings *warnings)
{
	json_t *texts = json_array();

	for (size_t i = 0; i < warnings->count && i < WARNINGS_MAX; i++)
		json_array_append_new(texts, json_string(warnings->texts[i]));
	return texts;
}

int runinfo_write(const struct runinfo *info, const char *path)
{
	json_t *root =
		json_pack("{s:i s:s s:s s:o s:s s:s s:i s:o s:I s:o s:o s:o s:o s:O}",
			  "schema_version", RUNINFO_SCHEMA_VERSION, "version", LINGER_VERSION,
			  "commit", info->commit, "command", json_text(info->command),
			  "started_utc", info->started_utc, "ended_utc", info->ended_utc,
			  "server_port", (int)info->port, "scenario", scenario_json(info->scenario),
			  "planned_trials", (json_int_t)info->plan->planned, "trials",
			  describe_trials(info->plan), "trace", describe_trace(info->tracing),
			  "warnings", describe_warnings(info->warnings), "environment",
			  environment_describe(), "counters", info->counters);
	int error = 0;
	FILE *file;

	if (!root)
		return -ENOMEM;
	file = fopen(path, "we");
	if (!file) {
		error = -errno;
	} else {
		errno = 0;
		if (json_dumpf(root, file, JSON_INDENT(2)) || fputc('\n', file) == EOF)
			error = errno ? -errno : -EIO;
		if (fclose(file) && !error)
			error = -errno;
	}
	json_decref(root);
	return error;
}
