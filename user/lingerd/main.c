/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "common/log.h"
#include "lingerd/background.h"
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
	struct background background;
	struct daemon *daemon;
	struct problem problem = { "" };
	int error;

	if (options->background && background_enter(&background, &problem))
		return failed(&problem);
	if (daemon_open(&daemon, options, &problem))
		return failed(&problem);
	if (options->background)
		background_ready(&background);
	error = daemon_run(daemon);
	daemon_close(daemon);
	return error ? EXIT_FAILED : EXIT_OK;
}

/* Or a socket would get the number that messages are written to. */
static void occupy_standard_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}

int main(int argc, char *argv[])
{
	struct options options;
	struct problem problem = { "" };

	occupy_standard_descriptors();
	log_open("lingerd");
	log_never_wait();
	if (options_parse(&options, argc, argv, &problem)) {
		log_error("%s", problem.text);
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
