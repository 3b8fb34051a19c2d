/* SPDX-License-Identifier: MIT */
#include "lingerbench/servers/apache.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lingerbench/pages.h"

static const struct strategy native = {
	.name = "native",
	.summary = "Apache's own lingering close, in the worker",
	.waits_for_peer = true,
};

static const struct strategy native_event = {
	.name = "native",
	.summary = "Apache's own lingering close, beside the workers",
};

static const struct strategy lingerd = {
	.name = "lingerd",
	.summary = "handed to lingerd by mod_lingerd",
	.needs_lingerd = true,
};

const struct strategy *const apache_blocking_strategies[] = { &native, &lingerd, NULL };
const struct strategy *const apache_event_strategies[] = { &native_event, &lingerd, NULL };

/* The pool is as large at the start as it will ever be: forking is not what is measured. */
static void describe_pool(const struct program_setup *setup, const char *mpm, char *text,
			  size_t size)
{
	unsigned long long workers = setup->workers;

	if (!strcmp(mpm, "prefork"))
		snprintf(text, size,
			 "StartServers %llu\nMinSpareServers %llu\nMaxSpareServers %llu\n"
			 "ServerLimit %llu\nMaxRequestWorkers %llu\n",
			 workers, workers, workers, workers, workers);
	else
		snprintf(text, size,
			 "StartServers 1\nServerLimit 1\nThreadLimit %llu\nThreadsPerChild %llu\n"
			 "MinSpareThreads 1\nMaxSpareThreads %llu\nMaxRequestWorkers %llu\n",
			 workers, workers, workers, workers);
}

static void describe_handoff(const struct program_setup *setup, char *text, size_t size)
{
	*text = '\0';
	if (setup->strategy->needs_lingerd)
		snprintf(text, size,
			 "LoadModule lingerd_module \"%s/" APACHE_PLUGIN "\"\n"
			 "LingerdSocket \"%s\"\nLingerd On\n",
			 setup->folder, setup->lingerd_socket);
}

static void describe_refusals(char *text, size_t size)
{
	size_t used = 0;

	for (unsigned int i = 0; i < PAGES; i++)
		used += (size_t)snprintf(text + used, size - used,
					 "<Location /refused-%u>\n    LimitRequestBody 1000\n"
					 "    ErrorDocument 413 /%u\n</Location>\n",
					 i, i);
}

int apache_configure(const struct program_setup *setup, const char *mpm, const char *more)
{
	char pool[512], handoff[2 * PATH_MAX], refusals[PAGES * 128];
	const char *folder = setup->folder;

	describe_pool(setup, mpm, pool, sizeof(pool));
	describe_handoff(setup, handoff, sizeof(handoff));
	describe_refusals(refusals, sizeof(refusals));
	return program_write(setup, "httpd.conf",
			     "ServerRoot \"%s\"\n"
			     "ServerName localhost\n"
			     "DefaultRuntimeDir \"%s\"\n"
			     "PidFile \"%s/httpd.pid\"\n"
			     "ErrorLog \"%s/" PROGRAM_LOG "\"\n"
			     "LogLevel warn\n"
			     "Mutex sem\n"
			     "Listen %s:%u\n"
			     "LoadModule mpm_%s_module " APACHE_MODULES "/mod_mpm_%s.so\n"
			     "LoadModule authz_core_module " APACHE_MODULES "/mod_authz_core.so\n"
			     "%s%s%s"
			     "DocumentRoot \"%s/" PAGES_FOLDER "\"\n"
			     "%s",
			     folder, folder, folder, folder, setup->address, setup->port, mpm, mpm,
			     pool, handoff, refusals, folder, more);
}

int apache_execute(const struct program_setup *setup)
{
	char config[PATH_MAX];

	snprintf(config, sizeof(config), "%s/httpd.conf", setup->folder);
	execl(APACHE_PROGRAM, "apache2", "-DFOREGROUND", "-f", config, (char *)NULL);
	return -errno;
}
