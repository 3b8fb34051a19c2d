/* SPDX-License-Identifier: MIT */
#include "lingerbench/serving.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "lingerbench/child.h"
#include "lingerbench/daemon.h"
#include "lingerbench/folder.h"
#include "lingerbench/running.h"
#include "lingerbench/server.h"

static const uint64_t LOOK_NS = 1 * NS_PER_MS;

int serving_start_lingerd(struct serving *serving)
{
	pid_t pid = daemon_start(serving->stage->folder, &serving->settings,
				 serving->arm->strategy.drains_in_kernel);

	serving->daemon = pid < 0 ? 0 : pid;
	return pid < 0 ? pid : 0;
}

static int start_workers(struct serving *serving, struct trial_rows *rows)
{
	const struct stage *stage = serving->stage;
	const struct server server = { .listener = serving->listener,
				       .strategy = &serving->arm->strategy,
				       .settings = &serving->settings,
				       .response = &stage->response,
				       .rows = rows };

	serving->workers = calloc(stage->scenario->workers, sizeof(*serving->workers));
	if (!serving->workers)
		return -ENOMEM;
	while (serving->worker_count < stage->scenario->workers) {
		pid_t pid = child_fork();

		if (pid < 0)
			return pid;
		if (!pid)
			server_work(&server);
		serving->workers[serving->worker_count++] = pid;
	}
	return 0;
}

/* Until all of them accept: their start is not to be measured. */
static int wait_for_workers(const struct serving *serving, const struct trial_rows *rows)
{
	int error = 0;

	while (!error && atomic_load(&rows->prepared) < serving->worker_count) {
		if (*serving->stage->interrupted)
			return -EINTR;
		clock_sleep_ns(LOOK_NS);
		error = serving_check(serving);
	}
	return error;
}

static int start_program(struct serving *serving)
{
	const struct stage *stage = serving->stage;
	pid_t pid;

	snprintf(serving->folder, sizeof(serving->folder), "%.*s/server", PATH_MAX - 16,
		 stage->folder);
	serving->setup = (struct program_setup){ .folder = serving->folder,
						 .address = stage->path.server_address,
						 .port = stage->port,
						 .workers = stage->scenario->workers,
						 .strategy = &serving->arm->strategy,
						 .lingerd_socket = serving->lingerd_socket };
	pid = running_start(serving->arm->program, &serving->setup, &stage->response,
			    stage->interrupted, &serving->probe);
	if (pid < 0)
		return pid;
	serving->program = pid;
	return 0;
}

int serving_start(struct serving *serving, const struct stage *stage, const struct arm *arm,
		  struct trial_rows *rows)
{
	int error = 0;

	*serving = (struct serving){ .stage = stage,
				     .arm = arm,
				     .settings = stage->scenario->settings,
				     .listener = -1,
				     .probe = PROBE_INIT };
	daemon_socket(stage->folder, serving->lingerd_socket);
	serving->settings.lingerd_socket = serving->lingerd_socket;
	serving->settings.added_hold_ns =
		added_hold_of(&stage->scenario->added_holds, arm->strategy.name);
	if (arm->strategy.needs_lingerd)
		error = serving_start_lingerd(serving);
	if (error)
		return error;
	if (!program_is_builtin(arm->program))
		return start_program(serving);
	serving->listener = server_listen(stage->path.server_address, stage->port);
	error = serving->listener < 0 ? serving->listener : start_workers(serving, rows);
	if (error) {
		log_error("cannot start the workers: %s", strerror(-error));
		return error;
	}
	return wait_for_workers(serving, rows);
}

int serving_check(const struct serving *serving)
{
	if (serving->program && child_has_ended(serving->program)) {
		running_complain_of_end(serving->arm->program, &serving->setup);
		return -ECHILD;
	}
	for (size_t i = 0; i < serving->worker_count; i++) {
		if (!child_has_ended(serving->workers[i]))
			continue;
		log_error("worker %d ended in the middle of a trial", (int)serving->workers[i]);
		return -ECHILD;
	}
	return 0;
}

void serving_look(const struct serving *serving, struct proctree *ret)
{
	ret->count = 0;
	for (size_t i = 0; i < serving->worker_count; i++)
		proctree_add(ret, serving->workers[i]);
	if (serving->program)
		proctree_add(ret, serving->program);
	if (serving->daemon)
		proctree_add(ret, serving->daemon);
}

static void stop_workers(struct serving *serving)
{
	for (size_t i = 0; i < serving->worker_count; i++)
		kill(serving->workers[i], SIGTERM);
	for (size_t i = 0; i < serving->worker_count; i++)
		child_wait(serving->workers[i], 1);
	free(serving->workers);
	if (serving->listener >= 0)
		close(serving->listener);
}

int serving_stop(struct serving *serving)
{
	probe_close(&serving->probe);
	stop_workers(serving);
	if (serving->program)
		running_stop(serving->program);
	if (*serving->folder)
		folder_remove(serving->folder);
	return serving->daemon ? daemon_stop(serving->daemon) : 0;
}
