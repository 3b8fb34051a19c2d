/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "common/log.h"
#include "lingerd/daemon.h"
#include "lingerd/options.h"

enum { EXIT_OK, EXIT_FAILED, EXIT_USAGE };

static int failed(const struct problem *problem)
{
	log_error("%s", problem->text);
	return EXIT_FAILED;
}

static int check(const struct options *options)
{
	struct settings settings;
	struct problem problem = { "" };

	if (options_settings(options, &settings, &problem))
		return failed(&problem);
	log_info("the settings are good");
	return EXIT_OK;
}

static int run(const struct options *options)
{
	struct daemon *daemon;
	struct problem problem = { "" };
	int error;

	if (daemon_open(&daemon, options, &problem))
		return failed(&problem);
	error = daemon_run(daemon);
	daemon_close(daemon);
	return error ? EXIT_FAILED : EXIT_OK;
}

int main(int argc, char *argv[])
{
	struct options options;
	struct problem problem = { "" };

	log_open("lingerd");
	if (options_parse(&options, argc, argv, &problem)) {
		log_error("%s (lingerd --help lists the options)", problem.text);
		return EXIT_USAGE;
	}
	if (options.help) {
		fputs(options_usage, stdout);
		return EXIT_OK;
	}
	if (options.version) {
		puts("lingerd " LINGER_VERSION);
		return EXIT_OK;
	}
	return options.check_config ? check(&options) : run(&options);
}
