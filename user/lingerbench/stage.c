/* SPDX-License-Identifier: MIT */
#include "lingerbench/stage.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "lingerbench/folder.h"
#include "lingerbench/pages.h"
#include "lingerbench/server.h"

static int complain(const char *what, int error)
{
	log_error("%s: %s", what, strerror(-error));
	return error;
}

static int take_port(struct stage *stage)
{
	int error;

	stage->port = (uint16_t)stage->scenario->port;
	stage->keeper = server_bind(stage->path.server_address, &stage->port);
	error = stage->keeper < 0 ? stage->keeper : 0;
	if (error == -EADDRINUSE)
		log_error("port %llu is in use; choose another with --set server.port=PORT, or 0 "
			  "for any free one",
			  (unsigned long long)stage->scenario->port);
	else if (error)
		complain("cannot listen", error);
	return error;
}

static bool has_real_server(const struct scenario *scenario)
{
	for (size_t i = 0; i < scenario->server_count; i++)
		if (!program_is_builtin(scenario->servers[i]))
			return true;
	return false;
}

/* All that is missing is told at once. */
static int check_installed(const struct scenario *scenario)
{
	int error = 0;

	for (size_t i = 0; i < scenario->server_count; i++) {
		int missing = program_check_installed(scenario->servers[i]);

		error = error ? error : missing;
	}
	return error;
}

int stage_open(struct stage *ret, const struct scenario *scenario, const volatile bool *interrupted)
{
	bool real = has_real_server(scenario);
	int error = check_installed(scenario);

	*ret = (struct stage){ .scenario = scenario,
			       .path.clients_netns = -1,
			       .keeper = -1,
			       .interrupted = interrupted };
	if (!error)
		error = path_open(&ret->path, &scenario->link, scenario->path);
	if (!error)
		error = take_port(ret);
	if (error)
		return error;
	error = scratch_folder_make(ret->folder, real);
	if (error)
		return complain("cannot create a scratch folder below $TMPDIR or /tmp", error);
	error = response_make(&ret->response, scenario->response_bytes,
			      real ? PAGES : RESPONSE_MAX_VARIANTS, scenario->seed);
	return error ? complain("cannot make the response", error) : 0;
}

void stage_close(struct stage *stage)
{
	if (!stage->scenario)
		return;
	response_free(&stage->response);
	path_close(&stage->path);
	if (stage->keeper >= 0)
		close(stage->keeper);
	if (*stage->folder)
		folder_remove(stage->folder);
}
