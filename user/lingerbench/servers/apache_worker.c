/* SPDX-License-Identifier: MIT */
#include "lingerbench/servers/apache.h"

static const char *const files[] = { APACHE_PROGRAM, APACHE_MODULES "/mod_mpm_worker.so", NULL };

static int configure(const struct program_setup *setup)
{
	return apache_configure(setup, "worker", "");
}

const struct program program_apache_worker = {
	.name = "apache-worker",
	.summary = "Apache 2.4 with a thread per worker",
	.packages = "apache2-bin",
	.files = files,
	.strategies = apache_blocking_strategies,
	.plugin = APACHE_PLUGIN,
	.threads = true,
	.overhead_ms = 250,
	.configure = configure,
	.execute = apache_execute,
};
