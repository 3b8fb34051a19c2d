/* SPDX-License-Identifier: MIT */
#include "lingerbench/run.h"

#include <errno.h>
#include <signal.h>
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
#include "lingerbench/pages.h"
#include "lingerbench/plan.h"
#include "lingerbench/program.h"
#include "lingerbench/report.h"
#include "lingerbench/results.h"
#include "lingerbench/runinfo.h"
#include "lingerbench/server.h"
#include "lingerbench/tracelog.h"
#include "lingerbench/verdict.h"

/* How long the records of the last connections are waited for. */
enum { TRACE_GRACE_MS = 500 };

static volatile bool interrupted;

struct run {
	struct scenario scenario;
	struct plan plan;
	struct response response;
	struct warnings warnings;
	struct results_folder results;
	struct tracer *tracer;
	struct tracelog tracelog;
	struct runinfo info;
	json_t *counters_before;
	char scratch[PATH_MAX];
	char trace_error[256];
	int listener;
	bool results_begun;
};

static void interrupt(int signal)
{
	(void)signal;
	interrupted = true;
}

static void catch_signals(void)
{
	const struct sigaction action = { .sa_handler = interrupt };

	interrupted = false;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

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

static int open_listener(struct run *run)
{
	run->info.port = (uint16_t)run->scenario.port;
	run->listener = server_bind(&run->info.port);
	if (run->listener >= 0 && program_is_builtin(run->scenario.program)) {
		int error = server_listen(run->listener);

		if (error) {
			close(run->listener);
			run->listener = error;
		}
	}
	if (run->listener == -EADDRINUSE)
		log_error("port %llu is in use; choose another with --set server.port=PORT, or 0 "
			  "for "
			  "any free one",
			  (unsigned long long)run->scenario.port);
	else if (run->listener < 0)
		complain("cannot listen on 127.0.0.1", run->listener);
	return run->listener < 0 ? run->listener : 0;
}

/* Without the tracer a run still has its outcomes, its hold times and its throughput. */
static void open_tracer(struct run *run)
{
	const struct tracer_options options = { .filter = { .ports = &run->info.port,
							    .port_count = 1 },
						.on_record = tracelog_add,
						.context = &run->tracelog };

	if (!run->scenario.trace) {
		run->info.untraced_because = "switched off: [trace] enabled = no";
		return;
	}
	if (!tracer_open(&run->tracer, &options, run->trace_error, sizeof(run->trace_error))) {
		if (!tracer_follows_mini_sockets(run->tracer))
			warnings_add(&run->warnings,
				     "FIN_WAIT_2 after close() cannot be followed here and stays "
				     "empty: it takes fentry, or Linux 6.11 and, unless root, "
				     "CAP_SYSLOG");
		return;
	}
	run->tracer = NULL;
	run->info.untraced_because = run->trace_error;
	warnings_add(&run->warnings, "not traced: %s", run->trace_error);
	log_info("outcomes, worker hold times and throughput are measured all the same; the "
		 "columns of the tracer stay empty");
}

static int prepare(struct run *run, const struct run_options *options)
{
	const struct program *program = run->scenario.program;
	bool builtin = program_is_builtin(program);
	int error = program_check_installed(program);

	if (!error)
		error = open_listener(run);
	if (error)
		return error;
	error = results_folder_begin(&run->results, options->out, run->scenario.name,
				     LINGER_COMMIT);
	if (error) {
		log_error("cannot create a folder for the results below %s: %s; choose another "
			  "with "
			  "--out DIR",
			  options->out, strerror(-error));
		return error;
	}
	run->results_begun = true;
	error = scratch_folder_make(run->scratch, !builtin);
	if (error)
		return complain("cannot create a scratch folder below $TMPDIR or /tmp", error);
	error = response_make(&run->response, run->scenario.response_bytes,
			      builtin ? RESPONSE_MAX_VARIANTS : PAGES, run->scenario.seed);
	if (error)
		return complain("cannot make the response", error);
	open_tracer(run);
	run->counters_before = environment_counters();
	return 0;
}

static void show_progress(const struct run *run, size_t done)
{
	const struct trial *trial = &run->plan.trials[done];

	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r\033[K[%zu/%zu] block %llu: %s under %s", done + 1,
			run->plan.count, (unsigned long long)trial->block, trial->strategy->name,
			trial->peer->name);
}

static void end_progress(void)
{
	if (isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
}

static int run_trials(struct run *run)
{
	const struct trial_stage stage = { .scenario = &run->scenario,
					   .response = &run->response,
					   .listener = run->listener,
					   .port = run->info.port,
					   .folder = run->scratch,
					   .tracer = run->tracer,
					   .interrupted = &interrupted,
					   .warnings = &run->warnings };
	int error = 0;

	for (size_t i = 0; i < run->plan.count && !error; i++) {
		show_progress(run, i);
		error = trial_run(&run->plan.trials[i], &stage);
		if (!error && interrupted)
			error = -EINTR;
	}
	end_progress();
	return error;
}

static void finish_trace(struct run *run)
{
	uint64_t until = clock_now_ns() + TRACE_GRACE_MS * NS_PER_MS;
	int error = 0;

	if (!run->tracer)
		return;
	while (!error && clock_now_ns() < until)
		error = tracer_poll(run->tracer, 50);
	error = tracer_finish(run->tracer);
	if (error)
		warnings_add(&run->warnings, "the tracer stumbled: %s", strerror(-error));
	tracer_get_counts(run->tracer, &run->info.losses);
	if (run->info.losses.ring_full || run->info.losses.map_full)
		warnings_add(&run->warnings,
			     "the tracer lost %llu record%s (ring full) and %llu connection%s (map "
			     "full)",
			     (unsigned long long)run->info.losses.ring_full,
			     units_plural(run->info.losses.ring_full),
			     (unsigned long long)run->info.losses.map_full,
			     units_plural(run->info.losses.map_full));
	if (run->info.losses.missed_events)
		warnings_add(&run->warnings,
			     "the kernel did not report %llu event%s to the tracer; what is not "
			     "known for that is empty",
			     (unsigned long long)run->info.losses.missed_events,
			     units_plural(run->info.losses.missed_events));
	if (run->tracelog.out_of_memory)
		warnings_add(&run->warnings, "no memory for all records of the tracer");
	run->info.trace_records = run->tracelog.count;
	tracelog_sort(&run->tracelog);
}

/* Who finds FIN_WAIT_2 cut short must know that it was for want of room, and not the strategy's doing. */
static void look_for_overflow(struct run *run)
{
	json_t *refused = json_object_get(run->info.counters, "TcpExtTCPTimeWaitOverflow");

	if (json_integer_value(refused) > 0)
		warnings_add(&run->warnings,
			     "the kernel had no room for %lld sockets that were closed in "
			     "FIN_WAIT_2 or TIME_WAIT (net.ipv4.tcp_max_tw_buckets, for the whole "
			     "machine): their stay ended at once",
			     (long long)json_integer_value(refused));
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
	error = results_write(run->results.partial, &run->scenario, &run->plan, &run->tracelog,
			      !run->info.untraced_because, &run->warnings);
	if (!error) {
		snprintf(path, sizeof(path), "%s/run.json", run->results.partial);
		error = runinfo_write(&run->info, path);
	}
	if (!error)
		error = report_write(run->results.partial);
	if (!error)
		error = results_folder_finish(&run->results);
	if (error)
		log_error("cannot write the results below %s: %s; nothing of this run was kept",
			  run->results.path, strerror(-error));
	return error;
}

static enum run_status conclude(const struct run *run)
{
	struct csvtable summary;
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
	verdict_print(&summary);
	if (run->info.untraced_because)
		printf("\nNot traced: %s\n", run->info.untraced_because);
	printf("\nresults  %s/ (connections.csv summary.csv run.json)\nreport   %s/report.html\n",
	       run->results.path, run->results.path);
	fflush(stdout);
	judgement = verdict_check(&summary, &run->scenario);
	csvtable_free(&summary);
	if (judgement.judged)
		printf("%zu of %zu expectations hold\n", judgement.judged - judgement.broken,
		       judgement.judged);
	return judgement.broken ? RUN_UNEXPECTED : RUN_DONE;
}

static void clean_up(struct run *run)
{
	tracer_close(run->tracer);
	tracelog_free(&run->tracelog);
	plan_free(&run->plan);
	response_free(&run->response);
	json_decref(run->counters_before);
	json_decref(run->info.counters);
	if (run->listener >= 0)
		close(run->listener);
	if (*run->scratch)
		folder_remove(run->scratch);
}

static enum run_status perform(struct run *run, const struct run_options *options)
{
	int error = prepare(run, options);

	if (!error) {
		log_info("%zu trial%s, about %.0f s%s", run->plan.count,
			 units_plural(run->plan.count), plan_estimate_s(&run->plan, &run->scenario),
			 run->tracer ? ", traced" : "");
		error = run_trials(run);
	}
	if (!error)
		finish_trace(run);
	if (!error)
		error = write_results(run);
	if (error && run->results_begun)
		results_folder_abandon(&run->results);
	if (error == -EINTR)
		log_error("interrupted; every process has ended and nothing of this run was kept");
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
	run->listener = -1;
	run->info = (struct runinfo){ .scenario = &run->scenario,
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
	else {
		catch_signals();
		status = perform(run, options);
	}
	clean_up(run);
	free(run);
	return status;
}
