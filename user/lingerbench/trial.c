/* SPDX-License-Identifier: MIT */
#include "lingerbench/trial.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "lingerbench/child.h"
#include "lingerbench/client.h"
#include "lingerbench/daemon.h"
#include "lingerbench/fault.h"
#include "lingerbench/proctree.h"
#include "lingerbench/serving.h"

enum {
	POLL_MS = 10,
	RELEASE_SLACK_S = 5,
	/* The FINs of the last clients reach lingerd when they are gone; its work on them counts, too. */
	SETTLE_MS = 20,
	HANDOFFS_LIMIT_MS = 500,
	PROBE_LIMIT_S = 6,
	/* Above one of them the client process of an open loop was overloaded. */
	LATE_PERCENT = 1,
	BUSY_PERCENT = 95,
};

/* What a trial has going on. */
struct cast {
	const struct stage *stage;
	const struct trial_watchers *watchers;
	struct serving serving;
	struct fault fault;
	pid_t client;	  /* 0: none */
	bool probe_known; /* whether lingerd has got its connection */
	/* When the measuring began. */
	struct proctree before;
	size_t answered_before; /* connections of the warm-up that the server had done its work for */
	bool measuring;
};

static int start_client(struct cast *cast, const struct trial *trial)
{
	const struct stage *stage = cast->stage;
	const struct scenario *scenario = stage->scenario;
	const struct client_plan plan = { .path = &stage->path,
					  .server_port = stage->port,
					  .tls = trial->arm->program->tls,
					  .arrivals = scenario->arrivals,
					  .per_s = scenario->rate,
					  .seed = scenario->seed + trial->block,
					  .connections = scenario->connections,
					  .at_once = scenario->clients,
					  .held = scenario->held,
					  .warm_up_ns = scenario->warm_up_ns,
					  .duration_ns = scenario->duration_ns,
					  .timeout_ns = scenario->timeout_ns,
					  .peer = trial->peer,
					  .response = &stage->response,
					  .rows = trial->rows };
	pid_t pid = child_fork();
	int error;

	if (pid < 0)
		return pid;
	if (!pid) {
		prctl(PR_SET_NAME, "lb-client");
		error = client_run(&plan);
		if (error)
			log_error("the client process: %s", strerror(-error));
		_exit(error ? EXIT_FAILURE : EXIT_SUCCESS);
	}
	cast->client = pid;
	return 0;
}

static void look_at_tracer(const struct cast *cast)
{
	struct tracer *tracer = cast->watchers->tracing->tracer;
	int error = tracer ? tracer_poll(tracer, POLL_MS) : 0;

	if (error && error != -EINTR)
		warnings_add(cast->watchers->warnings, "the tracer stumbled: %s", strerror(-error));
	if (error || !tracer)
		usleep(POLL_MS * 1000);
}

/* What the warm-up costs is not measured. It ends here some milliseconds later than in the client process. */
static void look_at_warm_up(struct cast *cast, const struct trial *trial)
{
	uint64_t warm_up_ns = cast->stage->scenario->warm_up_ns;

	if (cast->measuring || clock_now_ns() - trial->started_ns < warm_up_ns)
		return;
	cast->measuring = true;
	if (!warm_up_ns)
		return;
	serving_look(&cast->serving, &cast->before);
	cast->answered_before = trial_rows_answered(trial->rows);
}

/* Until the client has made all its connections. */
static int wait_for_client(struct cast *cast, const struct trial *trial)
{
	int status, error;

	while (!child_has_ended(cast->client)) {
		if (*cast->stage->interrupted)
			return -EINTR;
		error = serving_check(&cast->serving);
		if (error)
			return error;
		error = fault_look(&cast->fault, &cast->serving,
				   clock_now_ns() - trial->started_ns);
		if (error)
			return error;
		look_at_warm_up(cast, trial);
		look_at_tracer(cast);
	}
	status = child_wait(cast->client, 0);
	cast->client = 0;
	if (status) {
		log_error("the client process ended before its work was done (%s %d)",
			  WIFSIGNALED(status) ? "signal" : "status",
			  WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
		return -ECHILD;
	}
	return 0;
}

/* Whether workers can be stopped without cutting a connection. */
static bool all_released(const struct trial_rows *rows)
{
	return atomic_load(&rows->released) >= atomic_load(&rows->accepted) &&
	       !atomic_load(&rows->lingering);
}

/* Workers may still linger when the last client is gone; strategies bound that by their timeouts.
 */
static int wait_for_release(const struct cast *cast, const struct trial *trial)
{
	const struct strategy_settings *settings = &cast->serving.settings;
	uint64_t limit = clock_now_ns() + settings->total_timeout_ns + settings->added_hold_ns +
			 (trial->arm->strategy.sleeps ? settings->sleep_ns : 0) +
			 RELEASE_SLACK_S * NS_PER_S;
	int error;

	while (!all_released(trial->rows)) {
		if (*cast->stage->interrupted)
			return -EINTR;
		error = serving_check(&cast->serving);
		if (error)
			return error;
		if (clock_now_ns() > limit) {
			warnings_add(cast->watchers->warnings,
				     "%s under %s: workers were still busy at the end",
				     trial->arm->label, trial->peer->name);
			break;
		}
		look_at_tracer(cast);
	}
	return serving_check(&cast->serving);
}

static void stop_client(struct cast *cast)
{
	kill(cast->client, SIGKILL);
	child_wait(cast->client, 1);
}

/*
 * What lingerd has got before the clients come: the connection of the probe, or nothing if the server
 * kept that. Which of them is certain when it is there, or when nobody has it any more: asked before
 * lingerd is, since that may have got it last. Otherwise it could come later, and stand for a client's.
 */
static int settle_probe(struct cast *cast, uint64_t *ret_handoffs)
{
	struct serving *serving = &cast->serving;
	uint64_t now = clock_now_ns(), limit = now + PROBE_LIMIT_S * NS_PER_S;

	for (; now < limit; now = clock_now_ns()) {
		bool gone = probe_is_gone(&serving->probe, now);
		int error = daemon_handoffs(serving->lingerd_socket, ret_handoffs);

		if (error) {
			log_error("lingerd does not say what it has got: %s", strerror(-error));
			return error;
		}
		cast->probe_known = gone || *ret_handoffs > 0;
		if (cast->probe_known)
			break;
		usleep(POLL_MS * 1000);
	}
	return 0;
}

/*
 * How many connections lingerd has got by now. The last ones may still be on their way: it waits until all
 * of them are there, for a short time at most.
 */
static bool look_at_handoffs(const char *socket_path, uint64_t expected, uint64_t *ret)
{
	uint64_t limit = clock_now_ns() + HANDOFFS_LIMIT_MS * NS_PER_MS;
	bool known;

	do {
		known = !daemon_handoffs(socket_path, ret);
	} while (known && *ret < expected && clock_now_ns() < limit && !usleep(POLL_MS * 1000));
	return known;
}

/* What a real server handed over, without what it did before the clients came. */
static void count_handoffs(struct trial *trial, const struct cast *cast, uint64_t before)
{
	uint64_t expected = before + trial->rows->begun;
	uint64_t now;

	/* One that was killed has taken its count along. */
	if (!cast->probe_known || trial->arm->strategy.fault == STRATEGY_KILLS_LINGERD)
		return;
	trial->handoffs_known = look_at_handoffs(cast->serving.lingerd_socket, expected, &now);
	if (trial->handoffs_known)
		trial->handoffs = now - before;
}

static void warn_of_trial(const struct cast *cast, const struct trial *trial, const char *text)
{
	warnings_add(cast->watchers->warnings, "block %llu, %s under %s: %s",
		     (unsigned long long)trial->block, trial->arm->label, trial->peer->name, text);
}

/*
 * A client process that is short of CPU measures itself. It shows when clients begin late, or when it has hardly slept, because
 * it ran or waited for a CPU: then what it found in the sockets had waited for it.
 */
static void judge_open_loop(struct trial *trial, const struct cast *cast)
{
	const struct trial_rows *rows = trial->rows;
	unsigned int busy_percent =
		rows->came_for_ns ? (unsigned int)(100 * rows->wanted_cpu_ns / rows->came_for_ns)
				  : 0;
	char text[256];

	trial->is_void =
		rows->late * 100 > rows->measured * LATE_PERCENT || busy_percent > BUSY_PERCENT;
	if (!trial->is_void)
		return;
	snprintf(text, sizeof(text),
		 "void, the client process could not keep up: it ran or waited for a CPU in %u %% "
		 "of "
		 "the time and began %zu of %zu connections more than %llu ms late; lower [load] "
		 "rate",
		 busy_percent, rows->late, rows->measured, CLIENT_LATE_NS / NS_PER_MS);
	warn_of_trial(cast, trial, text);
}

static void judge_client(struct trial *trial, const struct cast *cast)
{
	trial->measured_for_ns = trial->rows->measured_for_ns;
	if (cast->stage->scenario->arrivals != ARRIVALS_CLOSED)
		judge_open_loop(trial, cast);
	if (trial->rows->measured || trial->rows->dropped || trial->is_void)
		return;
	trial->is_void = true;
	warn_of_trial(cast, trial,
		      "void, no client came after the warm-up; raise [load] connections");
}

static void note_cpu(const struct cast *cast, struct trial *trial)
{
	struct proctree after;
	uint64_t cpu_ns;

	serving_look(&cast->serving, &after);
	trial->cpu_known = proctree_cpu_ns(&cast->before, &after, &cpu_ns);
	trial->cpu_connections = trial->rows->begun - cast->answered_before;
	if (trial->cpu_known)
		trial->cpu_us = cpu_ns / NS_PER_US;
	else if (trial->arm->strategy.fault != STRATEGY_KILLS_LINGERD)
		warn_of_trial(cast, trial, "a process of the server ended in the middle");
}

static int perform(struct cast *cast, struct trial *trial)
{
	struct serving *serving = &cast->serving;
	uint64_t handoffs = 0;
	bool faulted;
	int error = serving_start(serving, cast->stage, trial->arm, trial->rows);

	if (!error && serving->program && serving->daemon)
		error = settle_probe(cast, &handoffs);
	probe_close(&serving->probe);
	if (error)
		return error;
	serving_look(serving, &cast->before);
	trial->started_ns = clock_now_ns();
	error = start_client(cast, trial);
	if (error) {
		log_error("cannot start the client process: %s", strerror(-error));
		return error;
	}
	error = wait_for_client(cast, trial);
	faulted = fault_end(&cast->fault, serving);
	trial->ended_ns = clock_now_ns();
	if (!error && serving->workers)
		error = wait_for_release(cast, trial);
	usleep(SETTLE_MS * 1000);
	if (error)
		return error;
	note_cpu(cast, trial);
	count_handoffs(trial, cast, handoffs);
	judge_client(trial, cast);
	if (!faulted) {
		trial->is_void = true;
		warn_of_trial(cast, trial,
			      "void, the clients were gone before [faults] at; lower that, or "
			      "raise "
			      "[load] connections and duration");
	}
	return 0;
}

int trial_run(struct trial *trial, const struct stage *stage, const struct trial_watchers *watchers)
{
	struct cast cast = { .stage = stage, .watchers = watchers };
	char text[64];
	int error, status;

	trial->rows = trial_rows_map(stage->scenario->connections);
	if (!trial->rows) {
		log_error("no memory for the rows of a trial");
		return -ENOMEM;
	}
	error = perform(&cast, trial);
	if (cast.client)
		stop_client(&cast);
	status = serving_stop(&cast.serving);
	if (status) {
		snprintf(text, sizeof(text), "lingerd did not end in order (%s %d)",
			 WIFSIGNALED(status) ? "signal" : "status",
			 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
		warn_of_trial(&cast, trial, text);
	}
	return error;
}
