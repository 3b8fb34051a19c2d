/* SPDX-License-Identifier: MIT */
#include "lingerbench/serve.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/log.h"
#include "lingerbench/daemon.h"
#include "lingerbench/interruption.h"
#include "lingerbench/serving.h"
#include "lingerbench/stage.h"

enum { LOOK_MS = 50 };

static void say_ready(const struct serving *serving)
{
	const struct stage *stage = serving->stage;
	const char *scheme = serving->arm->program->tls ? "https" : "http";

	printf("%s closes by %s: GET %s://%s:%u/0, POST %s://%s:%u/refused-0; Ctrl-C ends it\n",
	       program_label(serving->arm->program), serving->arm->strategy.name, scheme,
	       stage->path.server_address, stage->port, scheme, stage->path.server_address,
	       stage->port);
	fflush(stdout);
}

static void say_end(const struct serving *serving, const struct trial_rows *rows)
{
	uint64_t handoffs;

	if (serving->workers)
		printf("%zu connections\n", (size_t)atomic_load(&rows->accepted));
	if (serving->daemon && !daemon_handoffs(serving->lingerd_socket, &handoffs))
		printf("%llu handed over to lingerd\n", (unsigned long long)handoffs);
}

static int perform(struct serving *serving, const struct stage *stage, struct trial_rows *rows)
{
	int error = serving_start(serving, stage, &stage->scenario->arms[0], rows);

	probe_close(&serving->probe);
	if (!error)
		say_ready(serving);
	while (!error && !*stage->interrupted) {
		usleep(LOOK_MS * 1000);
		error = serving_check(serving);
	}
	if (!error)
		say_end(serving, rows);
	if (serving_stop(serving) && !error)
		log_warning("lingerd did not end in order");
	return error == -EINTR ? 0 : error;
}

static enum run_status serve_scenario(const struct scenario *scenario,
				      const volatile bool *interrupted)
{
	struct trial_rows *rows = trial_rows_map(scenario->connections);
	struct stage stage = { 0 };
	struct serving serving;
	int error = rows ? stage_open(&stage, scenario, interrupted) : -ENOMEM;

	if (!error)
		error = perform(&serving, &stage, rows);
	stage_close(&stage);
	trial_rows_unmap(rows);
	return error ? RUN_FAILED : RUN_DONE;
}

static bool serves_one(const struct scenario *scenario)
{
	char servers[256];

	if (scenario->server_count == 1)
		return true;
	scenario_name_servers(scenario, ", ", servers, sizeof(servers));
	log_error("%s has several servers, and one is served; say which of %s, with --set "
		  "server.program=NAME",
		  scenario->name, servers);
	return false;
}

enum run_status serve(const char *name, const char *const settings[], size_t setting_count)
{
	struct scenario *scenario = malloc(sizeof(*scenario));
	enum run_status status = RUN_BAD_SCENARIO;

	if (!scenario)
		return RUN_FAILED;
	if (!scenario_load(scenario, name, settings, setting_count) && serves_one(scenario))
		status = serve_scenario(scenario, interruption_catch());
	free(scenario);
	return status;
}
