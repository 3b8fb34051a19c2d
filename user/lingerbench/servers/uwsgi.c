/* SPDX-License-Identifier: MIT */
#include "lingerbench/servers/preloaded.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#define UWSGI "/usr/bin/uwsgi-core"

static const char *const files[] = { UWSGI, "/usr/lib/uwsgi/plugins/python3_plugin.so", NULL };

static int execute(const struct program_setup *setup)
{
	char address[32], workers[32];

	snprintf(address, sizeof(address), "%s:%u", setup->address, setup->port);
	snprintf(workers, sizeof(workers), "%llu", (unsigned long long)setup->workers);
	preloaded_set_environment(setup);
	execl(UWSGI, "uwsgi", "--master", "--die-on-term", "--need-app", "--disable-logging",
	      "--plugin", "python3", "--http-socket", address, "--processes", workers, "--chdir",
	      setup->folder, "--wsgi-file", "app.py", (char *)NULL);
	return -errno;
}

const struct program program_uwsgi = {
	.name = "uwsgi",
	.summary = "uWSGI with a process per worker, which closes plainly",
	.packages = "uwsgi-core uwsgi-plugin-python3",
	.files = files,
	.strategies = preloaded_strategies,
	.plugin = PRELOADED_PLUGIN,
	.overhead_ms = 1800,
	.configure = preloaded_configure,
	.execute = execute,
};
