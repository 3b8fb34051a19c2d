/* SPDX-License-Identifier: MIT */
#include "lingerbench/servers/apache.h"

static const char *const files[] = { APACHE_PROGRAM, APACHE_MODULES "/mod_mpm_event.so", NULL };

static int configure(const struct program_setup *setup)
{
	return apache_configure(setup, "event", "");
}

const struct program program_apache_event = {
	.name = "apache-event",
	.summary = "Apache 2.4 with threads beside which connections linger",
	.packages = "apache2-bin",
	.files = files,
	.strategies = apache_event_strategies,
	.plugin = APACHE_PLUGIN,
	.threads = true,
	.overhead_ms = 250,
	.configure = configure,
	.execute = apache_execute,
};
