/* SPDX-License-Identifier: MIT */
#include "lingerbench/run.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "commit.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/units.h"
#include "lingerbench/environment.h"
#include "lingerbench/folder.h"
#include "lingerbench/interruption.h"
#include "lingerbench/judging.h"
#include "lingerbench/plan.h"
#include "lingerbench/report.h"
#include "lingerbench/results.h"
#include "lingerbench/runinfo.h"
#include "lingerbench/stage.h"
#include "lingerbench/tracing.h"
#include "lingerbench/verdict.h"

struct run {
	struct scenario scenario;
	struct plan plan;
	struct stage stage;
	struct warnings warnings;
	struct results_folder results;
	struct tracing tracing;
	struct runinfo info;
	json_t *counters_before;
	bool results_begun;
	bool failed;	   /* in the middle: what was done until then is kept */
	uint64_t began_ns; /* the first trial */
};

static void set_now(char text[32])
{
	time_t now = time(NULL);

	strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", gmtime(&now));
}

static int complain(const char *what, int error)
{
	log_error("%s: %s", what, strerror(-error));
	return error;
}

static int prepare(struct run *run, const struct run_options *options)
{
	int error = stage_open(&run->stage, &run->scenario, interruption_catch());

	if (!error && path_settings_are_apart(&run->scenario.link))
		error = plan_check_ports(&run->scenario);
	if (error)
		return error;
	run->info.port = run->stage.port;
	error = results_folder_begin(&run->results, options->out, run->scenario.name,
				     LINGER_COMMIT);
	if (error) {
		log_error("cannot create a folder for the results below %s: %s; choose another "
			  "with --out DIR",
			  options->out, strerror(-error));
		return error;
	}
	run->results_begun = true;
	tracing_begin(&run->tracing, run->scenario.trace, run->info.port, &run->warnings);
	run->counters_before = environment_counters();
	return 0;
}

/* By the plan, and by how much longer than planned the trials took that are done. */
static double time_left_s(const struct run *run, size_t done)
{
	double left = plan_estimate_rest_s(&run->plan, &run->scenario, done);
	double planned = plan_estimate_rest_s(&run->plan, &run->scenario, 0) - left;
	double took = (double)(clock_now_ns() - run->began_ns) / NS_PER_S;

	return planned > 0 ? left * took / planned : left;
}

static void show_progress(const struct run *run, size_t done)
{
	const struct trial *trial = &run->plan.trials[done];

	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r\033[K[%zu/%zu] block %llu: %s under %s; about %.0f s left",
			done + 1, run->plan.count, (unsigned long long)trial->block,
			trial->arm->label, trial->peer->name, time_left_s(run, done));
}

static void end_progress(void)
{
	if (isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
}

/* Whoever presses Ctrl-C has seen enough, and keeps it; nor does a failure take along what was measured before. */
static void keep_whole_trials(struct run *run, size_t done)
{
	plan_cut(&run->plan, done);
	warnings_add(&run->warnings, "%s: the results are of the first %zu of %zu trials",
		     run->failed ? "a trial failed" : "interrupted", done, run->plan.planned);
}

static int run_trials(struct run *run)
{
	const struct trial_watchers watchers = { .tracing = &run->tracing,
						 .warnings = &run->warnings };
	size_t done = 0;
	int error = 0;

	run->began_ns = clock_now_ns();
	while (done < run->plan.count && !error && !*run->stage.interrupted) {
		show_progress(run, done);
		tracing_switch(&run->tracing, !run->plan.trials[done].arm->strategy.untraced);
		error = trial_run(&run->plan.trials[done], &run->stage, &watchers);
		done += !error;
	}
	end_progress();
	if (done == run->plan.count)
		return 0;
	run->failed = error && error != -EINTR;
	if (!done)
		return run->failed ? error : -EINTR;
	keep_whole_trials(run, done);
	return 0;
}

/* Who finds FIN_WAIT_2 cut short must know that it was for want of room, and not the strategy's doing. */
static void look_for_overflow(struct run *run)
{
	json_t *refused = json_object_get(run->info.counters, "TcpExtTCPTimeWaitOverflow");

	if (json_integer_value(refused) > 0)
		warnings_add(&run->warnings,
			     "the kernel had no room for %lld sockets that were closed in "
			     "FIN_WAIT_2 or TIME_WAIT (net.ipv4.tcp_max_tw_buckets, for all of "
			     "this network namespace): their stay ended at once",
			     (long long)json_integer_value(refused));
}

/* It helps to find the results; they are whole without. */
static void point_latest(const struct results_folder *folder)
{
	int error = results_folder_point_latest(folder);

	if (error)
		log_warning("%s cannot be made a link to the results: %s", folder->latest,
			    strerror(-error));
}

/* It can be made of the rest. */
static void write_report(const struct results_folder *folder)
{
	if (report_write(folder->partial))
		log_warning("the results have no report; \"lingerbench report %s\" makes one",
			    folder->path);
}

static int write_results(struct run *run)
{
	json_t *after = environment_counters();
	char path[PATH_MAX + 16];
	int error;

	set_now(run->info.ended_utc);
	run->info.counters = environment_counters_grown(run->counters_before, after);
	json_decref(after);
	look_for_overflow(run);
	error = results_write(run->results.partial, &run->scenario, &run->plan, &run->tracing.log,
			      !run->tracing.impossible, &run->warnings);
	if (!error) {
		snprintf(path, sizeof(path), "%s/run.json", run->results.partial);
		error = runinfo_write(&run->info, path);
	}
	if (!error) {
		write_report(&run->results);
		error = results_folder_finish(&run->results);
	}
	if (error)
		log_error("cannot write the results below %s: %s; nothing of this run was kept",
			  run->results.path, strerror(-error));
	else
		point_latest(&run->results);
	return error;
}

/* Whether there is anything to conclude from. */
static bool say_void(const struct plan *plan)
{
	size_t count = 0;

	for (size_t i = 0; i < plan->count; i++)
		count += plan->trials[i].is_void;
	if (count == plan->count)
		log_error("all trials are void: nothing was measured");
	else if (count)
		printf("\n%zu of %zu trials are void, and in none of these figures\n", count,
		       plan->count);
	return count < plan->count;
}

static enum run_status conclude(const struct run *run)
{
	struct csvtable summary;
	bool measured;
	char path[PATH_MAX + 16];
	struct judgement judgement;
	int error;

	snprintf(path, sizeof(path), "%s/summary.csv", run->results.path);
	error = csvtable_read(&summary, path);
	if (error) {
		complain(path, error);
		return RUN_FAILED;
	}
	printf("%s%s%s\n\n", run->scenario.name, *run->scenario.title ? ": " : "",
	       run->scenario.title);
	verdict_print(&summary, &run->scenario);
	measured = say_void(&run->plan);
	if (run->tracing.impossible)
		printf("\nNot traced: %s\n", run->tracing.impossible);
	snprintf(path, sizeof(path), "%s/connections.csv", run->results.path);
	printf("\nresults  %s/ (connections.csv%s blocks.csv summary.csv run.json)\n",
	       run->results.path, access(path, F_OK) ? ".gz" : "");
	snprintf(path, sizeof(path), "%s/report.html", run->results.path);
	if (!access(path, F_OK))
		printf("report   %s\n", path);
	fflush(stdout);
	if (run->plan.count < run->plan.planned) {
		csvtable_free(&summary);
		printf("%s: expectations are not judged\n",
		       run->failed ? "not all trials were done" : "interrupted");
		return run->failed ? RUN_FAILED : RUN_INTERRUPTED;
	}
	if (!measured) {
		csvtable_free(&summary);
		return RUN_FAILED;
	}
	judgement = judging_check(&summary, &run->scenario);
	csvtable_free(&summary);
	if (judgement.judged || judgement.idle)
		printf("%zu of %zu expectations hold%s", judgement.judged - judgement.broken,
		       judgement.judged, judgement.idle ? "" : "\n");
	if (judgement.idle)
		printf("; %zu more %s of what was not run, or not traced\n", judgement.idle,
		       judgement.idle == 1 ? "is" : "are");
	return judgement.broken ? RUN_UNEXPECTED : RUN_DONE;
}

static void clean_up(struct run *run)
{
	tracing_free(&run->tracing);
	plan_free(&run->plan);
	stage_close(&run->stage);
	json_decref(run->counters_before);
	json_decref(run->info.counters);
}

static enum run_status perform(struct run *run, const struct run_options *options)
{
	int error = prepare(run, options);

	if (!error) {
		log_info("%zu trial%s, about %.0f s%s", run->plan.count,
			 units_plural(run->plan.count), plan_estimate_s(&run->plan, &run->scenario),
			 run->tracing.impossible ? "" : ", traced");
		error = run_trials(run);
	}
	if (!error)
		tracing_finish(&run->tracing);
	if (!error)
		error = write_results(run);
	if (error && run->results_begun)
		results_folder_abandon(&run->results);
	if (error == -EINTR)
		log_error("interrupted before a trial was done; every process has ended and "
			  "nothing of "
			  "this run was kept");
	if (error)
		return error == -EINTR ? RUN_INTERRUPTED : RUN_FAILED;
	return conclude(run);
}

enum run_status run(const struct run_options *options)
{
	struct run *run = calloc(1, sizeof(*run));
	enum run_status status = RUN_DONE;

	if (!run) {
		complain("run", -ENOMEM);
		return RUN_FAILED;
	}
	run->info = (struct runinfo){ .scenario = &run->scenario,
				      .tracing = &run->tracing,
				      .plan = &run->plan,
				      .warnings = &run->warnings,
				      .command = options->command,
				      .commit = LINGER_COMMIT };
	set_now(run->info.started_utc);
	if (scenario_load(&run->scenario, options->scenario, options->settings,
			  options->setting_count) ||
	    plan_check_limits(&run->scenario))
		status = RUN_BAD_SCENARIO;
	else if (plan_make(&run->plan, &run->scenario))
		status = RUN_FAILED;
	else if (options->dry_run)
		plan_print(&run->plan, &run->scenario);
	else
		status = perform(run, options);
	clean_up(run);
	free(run);
	return status;
}
