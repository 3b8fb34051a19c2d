/* SPDX-License-Identifier: MIT */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/options.h"
#include "lingerbench/compare.h"
#include "lingerbench/path.h"
#include "lingerbench/report.h"
#include "lingerbench/run.h"
#include "lingerbench/scenario.h"
#include "lingerbench/serve.h"

enum { EXIT_USAGE = 2 };

static const char help[] =
	"usage: lingerbench run SCENARIO [--out DIR] [--set SECTION.KEY=VALUE]... [--dry-run]\n"
	"       lingerbench compare A B [--margin PERCENT] [--json]\n"
	"       lingerbench serve SCENARIO [--set SECTION.KEY=VALUE]...\n"
	"       lingerbench list\n"
	"       lingerbench report DIR\n"
	"       lingerbench packages SCENARIO\n"
	"\n"
	"Compares ways to close TCP connections: a pool of blocking workers or a real server, a\n"
	"client process that checks every response byte for byte, and the close tracer, on\n"
	"loopback or a link with delay and loss.\n"
	"\n"
	"  run      runs scenarios/SCENARIO.ini (or a path), prints the table, and writes\n"
	"           DIR/SCENARIO/UTC-COMMIT/: connections.csv blocks.csv summary.csv\n"
	"           run.json report.html\n"
	"    --out DIR            folder of the results (default: results)\n"
	"    --set SECTION.KEY=VALUE   replaces a setting of the scenario; may be repeated\n"
	"    --dry-run            prints the plan and how long it takes, runs nothing\n"
	"  compare  says in what two folders of results differ, and how sure that is\n"
	"    --margin PERCENT     times and rates may differ by so much (default: 10)\n"
	"    --json               for machines\n"
	"  serve    starts the scenario's server (of several, the one that --set server.program\n"
	"           names) with its first strategy, for other clients, until Ctrl-C; --set as "
	"above\n"
	"  list     the scenarios, servers with their strategies, and peers there are\n"
	"  report   writes report.html of a folder of results anew\n"
	"  packages the Debian packages that the scenario's servers and path take\n"
	"\n"
	"  -h, --help     this text\n"
	"  -V, --version  the version\n"
	"\n"
	"Exit status: 0 done, 1 failed, 2 wrong usage or scenario, 3 an [expect] line does not\n"
	"hold, 4 compare found a difference, 130 interrupted: the trials that were done are "
	"kept.\n";

static int usage(const char *problem)
{
	log_error("%s; see lingerbench --help", problem);
	return EXIT_USAGE;
}

/* The command line as it was typed, near enough to be typed again. */
static char *join_arguments(int argc, char **argv)
{
	size_t size = 1;
	char *line;

	for (int i = 0; i < argc; i++)
		size += strlen(argv[i]) + 3;
	line = malloc(size);
	if (!line)
		return NULL;
	*line = '\0';
	for (int i = 0; i < argc; i++) {
		const char *quote = strpbrk(argv[i], " *<>;&|()$`\"") ? "'" : "";

		sprintf(line + strlen(line), "%s%s%s%s", i ? " " : "", quote, argv[i], quote);
	}
	return line;
}

static int command_run(int argc, char **argv, const char *command)
{
	static const struct option long_options[] = {
		{ "out", required_argument, NULL, 'o' },
		{ "set", required_argument, NULL, 's' },
		{ "dry-run", no_argument, NULL, 'n' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct run_options options = { .out = "results", .command = command };
	int status, option;

	options.settings = calloc((size_t)argc, sizeof(*options.settings));
	if (!options.settings)
		return EXIT_FAILURE;
	while ((option = getopt_long(argc, argv, ":h", long_options, NULL)) != -1) {
		switch (option) {
		case 'o':
			options.out = optarg;
			break;
		case 's':
			options.settings[options.setting_count++] = optarg;
			break;
		case 'n':
			options.dry_run = true;
			break;
		case 'h':
			fputs(help, stdout);
			free(options.settings);
			return EXIT_SUCCESS;
		default:
			options_say_mistake(option, argv);
			free(options.settings);
			return EXIT_USAGE;
		}
	}
	if (optind + 1 == argc) {
		options.scenario = argv[optind];
		status = (int)run(&options);
	} else {
		status = usage("run takes one scenario");
	}
	free(options.settings);
	return status;
}

static int command_serve(int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "set", required_argument, NULL, 's' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	const char **settings = calloc((size_t)argc, sizeof(*settings));
	size_t count = 0;
	int status = EXIT_USAGE, option;

	if (!settings)
		return EXIT_FAILURE;
	while ((option = getopt_long(argc, argv, ":h", long_options, NULL)) == 's')
		settings[count++] = optarg;
	if (option == 'h') {
		fputs(help, stdout);
		status = EXIT_SUCCESS;
	} else if (option == -1) {
		status = optind + 1 == argc ? (int)serve(argv[optind], settings, count)
					    : usage("serve takes one scenario");
	} else {
		options_say_mistake(option, argv);
	}
	free(settings);
	return status;
}

static void list_program(const struct program *program)
{
	const struct strategy *const *strategy = program->strategies;

	printf("  %-18s %s\n", program->name, program->summary);
	for (; *strategy && !program_is_builtin(program); strategy++)
		printf("    %-22s %s\n", (*strategy)->name, (*strategy)->summary);
}

static int command_list(void)
{
	int error;

	puts("scenarios:");
	error = scenario_list();
	puts("strategies of the lab's own server:");
	for (size_t i = 0; strategies[i]; i++)
		printf("  %-22s %s\n", strategies[i]->name, strategies[i]->summary);
	puts("servers, and strategies of their own:");
	for (size_t i = 0; programs[i]; i++)
		list_program(programs[i]);
	puts("peers:");
	for (const struct peer_default *peer = peer_defaults; peer->name; peer++)
		printf("  %-18s %-42s %s\n", peer->name, peer->script, peer->summary);
	return error ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* Each line once: several servers may be of one package. */
static void print_packages(const struct scenario *scenario)
{
	for (size_t i = 0; i < scenario->server_count; i++) {
		const char *packages = scenario->servers[i]->packages;
		bool is_new = packages;

		for (size_t before = 0; before < i && is_new; before++) {
			const char *other = scenario->servers[before]->packages;

			is_new = !other || strcmp(packages, other) != 0;
		}
		if (is_new)
			puts(packages);
	}
}

/* For those who install what a scenario needs before they run it. */
static int command_packages(const char *name)
{
	struct scenario *scenario = malloc(sizeof(*scenario));
	int status = EXIT_USAGE;

	if (scenario && !scenario_load(scenario, name, NULL, 0)) {
		print_packages(scenario);
		if (path_settings_are_apart(&scenario->link))
			puts(PATH_PACKAGE);
		status = EXIT_SUCCESS;
	}
	free(scenario);
	return status;
}

static bool parse_margin(const char *text, double *ret)
{
	char *end;
	double percent = strtod(text, &end);

	if (end == text || *end || !(percent >= 0 && percent <= 1000))
		return false;
	*ret = percent / 100;
	return true;
}

static int command_compare(int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "margin", required_argument, NULL, 'm' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct compare_options options = { .margin = 0.1 };
	int option;

	while ((option = getopt_long(argc, argv, ":h", long_options, NULL)) != -1) {
		switch (option) {
		case 'm':
			if (!parse_margin(optarg, &options.margin))
				return usage("--margin takes percents from 0 to 1000");
			break;
		case 'j':
			options.json = true;
			break;
		case 'h':
			fputs(help, stdout);
			return EXIT_SUCCESS;
		default:
			options_say_mistake(option, argv);
			return EXIT_USAGE;
		}
	}
	if (optind + 2 != argc)
		return usage("compare takes two folders of results");
	options.a = argv[optind];
	options.b = argv[optind + 1];
	return (int)compare(&options);
}

static int command_report(const char *folder)
{
	if (report_write(folder))
		return EXIT_FAILURE;
	printf("%s/report.html\n", folder);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	const char *command = argc > 1 ? argv[1] : "";
	int status;

	log_open("lingerbench");
	opterr = 0;
	if (!strcmp(command, "-h") || !strcmp(command, "--help")) {
		fputs(help, stdout);
		return EXIT_SUCCESS;
	}
	if (!strcmp(command, "-V") || !strcmp(command, "--version")) {
		puts("lingerbench " LINGER_VERSION);
		return EXIT_SUCCESS;
	}
	if (!strcmp(command, "run")) {
		char *line = join_arguments(argc, argv);

		argv[1] = (char *)"lingerbench run"; /* getopt names it in its messages */
		status = command_run(argc - 1, argv + 1, line ? line : "");
		free(line);
		return status;
	}
	if (!strcmp(command, "compare")) {
		argv[1] = (char *)"lingerbench compare";
		return command_compare(argc - 1, argv + 1);
	}
	if (!strcmp(command, "serve")) {
		argv[1] = (char *)"lingerbench serve";
		return command_serve(argc - 1, argv + 1);
	}
	if (!strcmp(command, "list"))
		return argc == 2 ? command_list() : usage("list takes no argument");
	if (!strcmp(command, "report"))
		return argc == 3 ? command_report(argv[2]) : usage("report takes one folder");
	if (!strcmp(command, "packages"))
		return argc == 3 ? command_packages(argv[2]) : usage("packages takes one scenario");
	if (*command)
		log_error("there is no command \"%s\"; see lingerbench --help", command);
	return *command ? EXIT_USAGE : usage("no command");
}
