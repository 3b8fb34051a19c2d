/* SPDX-License-Identifier: MIT */
#include "lingerbench/trial.h"

#include <errno.h>
#include <limits.h>
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
#include "lingerbench/folder.h"
#include "lingerbench/proctree.h"
#include "lingerbench/program.h"
#include "lingerbench/running.h"
#include "lingerbench/server.h"

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

struct cast {
	pid_t daemon; /* 0: none */
	pid_t client;
	/* The server: either workers of our own, or a program with its folder. */
	size_t worker_count;
	pid_t *workers;
	pid_t program;
	struct probe probe;
	bool probe_known; /* whether lingerd has got its connection */
	char folder[PATH_MAX];
	struct program_setup setup;
};

static int start_workers(struct cast *cast, const struct trial *trial,
			 const struct trial_stage *stage, const struct strategy_settings *settings)
{
	const struct server server = { .listener = stage->listener,
				       .strategy = trial->strategy,
				       .settings = settings,
				       .response = stage->response,
				       .rows = trial->rows };

	cast->workers = calloc(stage->scenario->workers, sizeof(*cast->workers));
	if (!cast->workers)
		return -ENOMEM;
	while (cast->worker_count < stage->scenario->workers) {
		pid_t pid = child_fork();

		if (pid < 0)
			return pid;
		if (!pid)
			server_work(&server);
		cast->workers[cast->worker_count++] = pid;
	}
	return 0;
}

static int start_program(struct cast *cast, const struct trial *trial,
			 const struct trial_stage *stage, const struct strategy_settings *settings)
{
	pid_t pid;

	snprintf(cast->folder, sizeof(cast->folder), "%.*s/server", PATH_MAX - 16, stage->folder);
	cast->setup = (struct program_setup){ .folder = cast->folder,
					      .address = stage->path->server_address,
					      .port = stage->port,
					      .workers = stage->scenario->workers,
					      .strategy = trial->strategy,
					      .lingerd_socket = settings->lingerd_socket };
	pid = running_start(trial->program, &cast->setup, stage->response, stage->interrupted,
			    &cast->probe);
	if (pid < 0)
		return pid;
	cast->program = pid;
	return 0;
}

static void stop_program(struct cast *cast)
{
	if (cast->program)
		running_stop(cast->program);
	if (*cast->folder)
		folder_remove(cast->folder);
}

static int start_client(struct cast *cast, const struct trial *trial,
			const struct trial_stage *stage)
{
	const struct scenario *scenario = stage->scenario;
	const struct client_plan plan = { .path = stage->path,
					  .server_port = stage->port,
					  .tls = trial->program->tls,
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
					  .response = stage->response,
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

static void look_at_tracer(const struct trial_stage *stage)
{
	struct tracer *tracer = stage->tracing->tracer;
	int error = tracer ? tracer_poll(tracer, POLL_MS) : 0;

	if (error && error != -EINTR)
		warnings_add(stage->warnings, "the tracer stumbled: %s", strerror(-error));
	if (error || !tracer)
		usleep(POLL_MS * 1000);
}

/* A pool that lost a worker is not the pool that is measured. */
static int check_workers(const struct cast *cast, const struct trial_stage *stage)
{
	if (cast->program && child_has_ended(cast->program)) {
		running_complain_of_end(stage->scenario->program, &cast->setup);
		return -ECHILD;
	}
	for (size_t i = 0; i < cast->worker_count; i++) {
		if (!child_has_ended(cast->workers[i]))
			continue;
		log_error("worker %d ended in the middle of a trial; the run is void",
			  (int)cast->workers[i]);
		return -ECHILD;
	}
	return 0;
}

/* Until the client has made all its connections. */
static int wait_for_client(struct cast *cast, const struct trial_stage *stage)
{
	int status, error;

	while (!child_has_ended(cast->client)) {
		if (*stage->interrupted)
			return -EINTR;
		error = check_workers(cast, stage);
		if (error)
			return error;
		look_at_tracer(stage);
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
static int wait_for_release(const struct cast *cast, const struct trial *trial,
			    const struct trial_stage *stage)
{
	int error;

	uint64_t limit = clock_now_ns() + stage->scenario->settings.total_timeout_ns +
			 RELEASE_SLACK_S * NS_PER_S;

	while (!all_released(trial->rows)) {
		if (*stage->interrupted)
			return -EINTR;
		error = check_workers(cast, stage);
		if (error)
			return error;
		if (clock_now_ns() > limit) {
			warnings_add(stage->warnings,
				     "%s under %s: workers were still busy at the end",
				     trial->strategy->name, trial->peer->name);
			break;
		}
		look_at_tracer(stage);
	}
	return check_workers(cast, stage);
}

/* Those who serve, and what they have used so far, their start included. */
static void look_at_servers(const struct cast *cast, struct proctree *ret)
{
	ret->count = 0;
	for (size_t i = 0; i < cast->worker_count; i++)
		proctree_add(ret, cast->workers[i]);
	if (cast->program)
		proctree_add(ret, cast->program);
	if (cast->daemon)
		proctree_add(ret, cast->daemon);
}

static void stop_workers(struct cast *cast)
{
	for (size_t i = 0; i < cast->worker_count; i++)
		kill(cast->workers[i], SIGTERM);
	for (size_t i = 0; i < cast->worker_count; i++)
		child_wait(cast->workers[i], 1);
	free(cast->workers);
}

static void stop_daemon(struct cast *cast, const struct trial *trial,
			const struct trial_stage *stage)
{
	int status = daemon_stop(cast->daemon);

	if (status)
		warnings_add(stage->warnings,
			     "block %llu, %s under %s: lingerd did not end in order (%s %d)",
			     (unsigned long long)trial->block, trial->strategy->name,
			     trial->peer->name, WIFSIGNALED(status) ? "signal" : "status",
			     WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
}

static void stop_client(struct cast *cast)
{
	kill(cast->client, SIGKILL);
	child_wait(cast->client, 1);
}

static int start_daemon(struct cast *cast, const struct trial_stage *stage,
			const struct strategy_settings *settings)
{
	char log_path[PATH_MAX];
	pid_t pid;

	snprintf(log_path, sizeof(log_path), "%s/lingerd.log", stage->folder);
	pid = daemon_start(settings->lingerd_socket, settings, log_path);
	if (pid < 0)
		return pid;
	cast->daemon = pid;
	return 0;
}

/*
 * What lingerd has got before the clients come: the connection of the probe, or nothing if the server
 * kept that. Which of them is certain when it is there, or when nobody has it any more: asked before
 * lingerd is, since that may have got it last. Otherwise it could come later, and stand for a client's.
 */
static int settle_probe(struct cast *cast, const struct strategy_settings *settings,
			uint64_t *ret_handoffs)
{
	uint64_t now = clock_now_ns(), limit = now + PROBE_LIMIT_S * NS_PER_S;

	for (; now < limit; now = clock_now_ns()) {
		bool gone = probe_is_gone(&cast->probe, now);
		int error = daemon_handoffs(settings->lingerd_socket, ret_handoffs);

		if (error)
			return error;
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
static void count_handoffs(struct trial *trial, const struct cast *cast,
			   const struct strategy_settings *settings, uint64_t before)
{
	uint64_t expected = before + trial->rows->begun;
	uint64_t now;

	if (!cast->probe_known)
		return;
	trial->handoffs_known = look_at_handoffs(settings->lingerd_socket, expected, &now);
	if (trial->handoffs_known)
		trial->handoffs = now - before;
}

/*
 * A client process that is short of CPU measures itself. It shows when clients begin late, or when it has hardly slept, because
 * it ran or waited for a CPU: then what it found in the sockets had waited for it.
 */
static void judge_client(struct trial *trial, const struct trial_stage *stage)
{
	const struct trial_rows *rows = trial->rows;
	unsigned int busy_percent =
		rows->came_for_ns ? (unsigned int)(100 * rows->wanted_cpu_ns / rows->came_for_ns)
				  : 0;

	if (rows->came_for_ns > stage->scenario->warm_up_ns)
		trial->measured_for_ns = rows->came_for_ns - stage->scenario->warm_up_ns;
	trial->is_void =
		rows->late * 100 > rows->begun * LATE_PERCENT || busy_percent > BUSY_PERCENT;
	if (trial->is_void)
		warnings_add(stage->warnings,
			     "block %llu, %s under %s is void, the client process could not keep "
			     "up: it "
			     "ran or waited for a CPU in %u %% of the time and began %zu of %zu "
			     "connections more than %llu ms "
			     "late; lower [load] rate",
			     (unsigned long long)trial->block, trial->strategy->name,
			     trial->peer->name, busy_percent, rows->late, rows->begun,
			     CLIENT_LATE_NS / NS_PER_MS);
}

static int perform(struct cast *cast, struct trial *trial, const struct trial_stage *stage,
		   struct strategy_settings *settings)
{
	bool builtin = program_is_builtin(trial->program);
	struct proctree before, after;
	uint64_t cpu_ns, handoffs = 0;
	int error = 0;

	if (trial->strategy->needs_lingerd)
		error = start_daemon(cast, stage, settings);
	if (!error && !builtin)
		error = start_program(cast, trial, stage, settings);
	if (error)
		return error;
	if (builtin)
		error = start_workers(cast, trial, stage, settings);
	if (!error && cast->program && cast->daemon)
		error = settle_probe(cast, settings, &handoffs);
	probe_close(&cast->probe);
	look_at_servers(cast, &before);
	trial->started_ns = clock_now_ns();
	if (!error)
		error = start_client(cast, trial, stage);
	if (error) {
		log_error("cannot start the processes of a trial: %s", strerror(-error));
		return error;
	}
	error = wait_for_client(cast, stage);
	trial->ended_ns = clock_now_ns();
	if (!error && builtin)
		error = wait_for_release(cast, trial, stage);
	usleep(SETTLE_MS * 1000);
	look_at_servers(cast, &after);
	trial->cpu_known = !error && proctree_cpu_ns(&before, &after, &cpu_ns);
	if (trial->cpu_known)
		trial->cpu_us = cpu_ns / NS_PER_US;
	else if (!error)
		warnings_add(stage->warnings,
			     "block %llu, %s under %s: a process of the server ended in the middle",
			     (unsigned long long)trial->block, trial->strategy->name,
			     trial->peer->name);
	if (!error)
		count_handoffs(trial, cast, settings, handoffs);
	if (!error && stage->scenario->arrivals != ARRIVALS_CLOSED)
		judge_client(trial, stage);
	return error;
}

int trial_run(struct trial *trial, const struct trial_stage *stage)
{
	struct strategy_settings settings = stage->scenario->settings;
	struct cast cast = { .probe = PROBE_INIT };
	char socket_path[PATH_MAX];
	int error;

	snprintf(socket_path, sizeof(socket_path), "%s/lingerd.sock", stage->folder);
	settings.lingerd_socket = socket_path;
	settings.added_hold_ns =
		added_hold_of(&stage->scenario->added_holds, trial->strategy->name);
	trial->rows = trial_rows_map(stage->scenario->connections);
	if (!trial->rows) {
		log_error("no memory for the rows of a trial");
		return -ENOMEM;
	}
	error = perform(&cast, trial, stage, &settings);
	probe_close(&cast.probe);
	if (cast.client)
		stop_client(&cast);
	stop_workers(&cast);
	stop_program(&cast);
	if (cast.daemon)
		stop_daemon(&cast, trial, stage);
	return error;
}
