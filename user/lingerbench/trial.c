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
#include "lingerbench/server.h"

enum {
	POLL_MS = 10,
	RELEASE_SLACK_S = 5,
	/* The FINs of the last clients reach lingerd when they are gone; its work on them counts, too. */
	SETTLE_MS = 20,
};

struct cast {
	pid_t daemon; /* 0: none */
	pid_t client;
	size_t worker_count;
	pid_t *workers;
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

static int start_client(struct cast *cast, const struct trial *trial,
			const struct trial_stage *stage)
{
	const struct scenario *scenario = stage->scenario;
	const struct client_plan plan = { .server_port = stage->port,
					  .connections = scenario->connections,
					  .at_once = scenario->clients,
					  .held = scenario->held,
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
	int error = stage->tracer ? tracer_poll(stage->tracer, POLL_MS) : 0;

	if (error && error != -EINTR)
		warnings_add(stage->warnings, "the tracer stumbled: %s", strerror(-error));
	if (error || !stage->tracer)
		usleep(POLL_MS * 1000);
}

/* A pool that lost a worker is not the pool that is measured. */
static int check_workers(const struct cast *cast)
{
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
		error = check_workers(cast);
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

static bool all_released(const struct trial_rows *rows)
{
	return atomic_load(&rows->released) >= atomic_load(&rows->accepted);
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
		error = check_workers(cast);
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
	return check_workers(cast);
}

/* CPU time of those who serve, without that of their start and their end. */
static bool serving_cpu_ns(const struct cast *cast, uint64_t *ret)
{
	uint64_t sum = 0, used;

	for (size_t i = 0; i < cast->worker_count; i++) {
		if (child_cpu_ns(cast->workers[i], &used))
			return false;
		sum += used;
	}
	if (cast->daemon) {
		if (child_cpu_ns(cast->daemon, &used))
			return false;
		sum += used;
	}
	*ret = sum;
	return true;
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

static int perform(struct cast *cast, struct trial *trial, const struct trial_stage *stage,
		   struct strategy_settings *settings)
{
	uint64_t cpu_before, cpu_after;
	int error;

	if (trial->strategy->needs_lingerd) {
		char log_path[PATH_MAX];
		pid_t pid;

		snprintf(log_path, sizeof(log_path), "%s/lingerd.log", stage->folder);
		pid = daemon_start(settings->lingerd_socket, settings, log_path);
		if (pid < 0)
			return pid;
		cast->daemon = pid;
	}
	error = start_workers(cast, trial, stage, settings);
	trial->cpu_known = !error && serving_cpu_ns(cast, &cpu_before);
	trial->started_ns = clock_now_ns();
	if (!error)
		error = start_client(cast, trial, stage);
	if (error) {
		log_error("cannot start the processes of a trial: %s", strerror(-error));
		return error;
	}
	error = wait_for_client(cast, stage);
	trial->ended_ns = clock_now_ns();
	if (!error)
		error = wait_for_release(cast, trial, stage);
	usleep(SETTLE_MS * 1000);
	if (trial->cpu_known && serving_cpu_ns(cast, &cpu_after))
		trial->cpu_us = (cpu_after - cpu_before) / NS_PER_US;
	else
		trial->cpu_known = false;
	return error;
}

int trial_run(struct trial *trial, const struct trial_stage *stage)
{
	struct strategy_settings settings = stage->scenario->settings;
	struct cast cast = { 0 };
	char socket_path[PATH_MAX];
	int error;

	snprintf(socket_path, sizeof(socket_path), "%s/lingerd.sock", stage->folder);
	settings.lingerd_socket = socket_path;
	trial->rows = trial_rows_map(stage->scenario->connections);
	if (!trial->rows) {
		log_error("no memory for the rows of a trial");
		return -ENOMEM;
	}
	error = perform(&cast, trial, stage, &settings);
	if (cast.client)
		stop_client(&cast);
	stop_workers(&cast);
	if (cast.daemon)
		stop_daemon(&cast, trial, stage);
	return error;
}
