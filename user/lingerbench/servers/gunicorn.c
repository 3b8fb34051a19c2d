/* SPDX-License-Identifier: MIT */
#include "lingerbench/servers/preloaded.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#define GUNICORN "/usr/bin/gunicorn"

static const char *const files[] = { GUNICORN, NULL };

static int execute(const struct program_setup *setup)
{
	char address[32], workers[32];

	snprintf(address, sizeof(address), "%s:%u", setup->address, setup->port);
	snprintf(workers, sizeof(workers), "%llu", (unsigned long long)setup->workers);
	preloaded_set_environment(setup);
	execl(GUNICORN, "gunicorn", "--preload", "--chdir", setup->folder, "--worker-tmp-dir",
	      setup->folder, "--workers", workers, "--bind", address, "app:application",
	      (char *)NULL);
	return -errno;
}

const struct program program_gunicorn = {
	.name = "gunicorn",
	.summary = "gunicorn with sync workers, which closes plainly",
	.packages = "gunicorn",
	.files = files,
	.strategies = preloaded_strategies,
	.plugin = PRELOADED_PLUGIN,
	.overhead_ms = 1800,
	.configure = preloaded_configure,
	.execute = execute,
};
