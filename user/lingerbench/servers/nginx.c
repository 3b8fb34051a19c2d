/* SPDX-License-Identifier: MIT */
#include "lingerbench/program.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "lingerbench/pages.h"

#define NGINX "/usr/sbin/nginx"

static const char *const files[] = { NGINX, NULL };

static const struct strategy off = {
	.name = "lingering_close_off",
	.summary = "nginx closes at once",
	.setting = "off",
};

static const struct strategy on = {
	.name = "lingering_close_on",
	.summary = "nginx lingers where it expects more from the client; its default",
	.setting = "on",
};

static const struct strategy always = {
	.name = "lingering_close_always",
	.summary = "nginx lingers for every connection",
	.setting = "always",
};

static const struct strategy *const nginx_strategies[] = { &off, &on, &always, NULL };

static void describe_refusals(char *text, size_t size)
{
	size_t used = 0;

	for (unsigned int i = 0; i < PAGES; i++)
		used += (size_t)snprintf(text + used, size - used,
					 "        location /refused-%u {\n"
					 "            client_max_body_size 1000;\n"
					 "            error_page 413 /%u;\n        }\n",
					 i, i);
}

static int configure(const struct program_setup *setup)
{
	char refusals[PAGES * 160];
	const char *folder = setup->folder;

	describe_refusals(refusals, sizeof(refusals));
	return program_write(setup, "nginx.conf",
			     "daemon off;\n"
			     "worker_processes %llu;\n"
			     "worker_rlimit_nofile 20000;\n"
			     "pid %s/nginx.pid;\n"
			     "error_log %s/" PROGRAM_LOG ";\n"
			     "events {\n    worker_connections 16000;\n}\n"
			     "http {\n"
			     "    access_log off;\n"
			     "    client_body_temp_path %s;\n"
			     "    proxy_temp_path %s;\n"
			     "    fastcgi_temp_path %s;\n"
			     "    uwsgi_temp_path %s;\n"
			     "    scgi_temp_path %s;\n"
			     "    lingering_close %s;\n"
			     "    server {\n"
			     "        listen %s:%u;\n"
			     "        root %s/" PAGES_FOLDER ";\n"
			     "%s    }\n}\n",
			     (unsigned long long)setup->workers, folder, folder, folder, folder,
			     folder, folder, folder, setup->strategy->setting, setup->address,
			     setup->port, folder, refusals);
}

static int execute(const struct program_setup *setup)
{
	char config[PATH_MAX], log[PATH_MAX];

	snprintf(config, sizeof(config), "%s/nginx.conf", setup->folder);
	snprintf(log, sizeof(log), "%s/" PROGRAM_LOG, setup->folder);
	execl(NGINX, "nginx", "-e", log, "-c", config, (char *)NULL);
	return -errno;
}

const struct program program_nginx = {
	.name = "nginx",
	.summary = "nginx, which lingers by itself or not, as it is told",
	.packages = "nginx",
	.files = files,
	.strategies = nginx_strategies,
	.overhead_ms = 150,
	.configure = configure,
	.execute = execute,
};
