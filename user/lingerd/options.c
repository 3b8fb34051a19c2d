/* SPDX-License-Identifier: MIT */
#include "lingerd/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "common/options.h"

const char options_usage[] =
	"Usage: lingerd [OPTION]...\n"
	"Takes TCP connections that servers want to close, and lingers them: reads and discards\n"
	"until the peer closes, too, or a timeout ends it.\n"
	"\n"
	"  -c, --config FILE        read settings from FILE; the command line goes over it\n"
	"                           (-FILE: if it is there)\n"
	"  -t, --check-config       check the settings and end\n"
	"  -b, --background         go to the background when ready\n"
	"      --take-over          go on with the socket and the connections of the lingerd that "
	"runs\n"
	"      --socket PATH        where servers hand over (/run/lingerd/lingerd.sock)\n"
	"      --socket-mode MODE   access to that socket, octal (0660)\n"
	"      --socket-group NAME  its group (the daemon's)\n"
	"      --allow-users LIST   users who may hand over (all who can open the socket)\n"
	"      --allow-groups LIST  groups that may hand over\n"
	"      --idle-timeout SEC   end when nothing has come for so long (2)\n"
	"      --total-timeout SEC  end after so long in any case (30)\n"
	"      --byte-cap BYTES     end when so much has come (none)\n"
	"      --at-deadline HOW    close, reset, or fin-wait-2:SEC (close)\n"
	"      --max-connections N  connections that may linger at once (65536)\n"
	"      --workers N          processes to share them out to (1)\n"
	"      --max-per-user N     of them, of the processes of one user (none)\n"
	"      --max-per-client N   of them, of one client address (none)\n"
	"      --when-full HOW      refuse, or shed-oldest (refuse)\n"
	"      --stop-grace SEC     at SIGTERM, let connections go on for so long (5)\n"
	"      --fd-store on|off    then leave them to systemd for the next process (off)\n"
	"      --metrics PLACE      serve OpenMetrics at unix:PATH or ADDRESS:PORT (none)\n"
	"      --metrics-remote on|off  also at addresses that other hosts reach (off)\n"
	"      --summary-interval SEC   a line of sums in the log, when there are news (60)\n"
	"      --log WHERE          stderr, or syslog (stderr)\n"
	"      --user NAME          started by root, go on as this user (none)\n"
	"      --pid-file PATH      write the process ID there (none)\n"
	"      --io-uring on|off    many system calls in one, where that is allowed (on)\n"
	"      --drain HOW          discard: read and throw away; kernel: it does (discard)\n"
	"      --drain-table PATH   where lingerd-drain has pinned that\n"
	"                           (/run/lingerd-drain/connections)\n"
	"      --sandbox on|off     give up all rights and system calls not needed (on)\n"
	"  -h, --help               this text\n"
	"  -V, --version            the version\n"
	"\n"
	"SIGHUP reads FILE again, SIGTERM ends in order. See lingerd(8).\n";

/* Long options without a letter: a value that is no character, plus the setting. */
enum { OPTION_TAKE_OVER = 256, OPTION_SETTING };

static const struct option own_options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "check-config", no_argument, NULL, 't' },
	{ "background", no_argument, NULL, 'b' },
	{ "take-over", no_argument, NULL, OPTION_TAKE_OVER },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
};

enum { OWN_OPTIONS = sizeof(own_options) / sizeof(own_options[0]) };

/* Our own, an option for each setting, and an end. */
struct all_options {
	struct option list[OWN_OPTIONS + SETTING_COUNT + 1];
};

static struct all_options all_options(void)
{
	struct all_options all = { .list = { { 0 } } };

	for (int i = 0; i < OWN_OPTIONS; i++)
		all.list[i] = own_options[i];
	for (int i = 0; i < SETTING_COUNT; i++)
		all.list[OWN_OPTIONS + i] = (struct option){
			.name = setting_names[i],
			.has_arg = required_argument,
			.val = OPTION_SETTING + i,
		};
	return all;
}

static int take_option(struct options *options, int option, char *argv[], struct problem *problem)
{
	char text[OPTIONS_MISTAKE_SIZE];

	switch (option) {
	case 'c':
		options->config_path = optarg;
		return 0;
	case 't':
		options->check_config = true;
		return 0;
	case 'b':
		options->background = true;
		return 0;
	case OPTION_TAKE_OVER:
		options->take_over = true;
		return 0;
	case 'h':
		options->help = true;
		return 0;
	case 'V':
		options->version = true;
		return 0;
	case ':':
	case '?':
		options_explain_mistake(option, argv, text);
		problem_say(problem, "%s; --help lists the options", text);
		return -EINVAL;
	default:
		options->values[option - OPTION_SETTING] = optarg;
		return 0;
	}
}

static int apply_values(const struct options *options, struct settings *settings,
			struct problem *problem)
{
	for (int i = 0; i < SETTING_COUNT; i++) {
		int error = 0;

		if (options->values[i])
			error = settings_set(settings, (enum setting)i, options->values[i],
					     problem);
		if (error)
			return error;
	}
	return 0;
}

/* The daemon leaves the folder in which it was started. */
static int check_paths(const struct options *options, const struct settings *settings,
		       struct problem *problem)
{
	const char *config = options->config_path;

	if (!options->background)
		return 0;
	if (config && config[*config == '-'] != '/')
		problem_say(problem,
			    "config: '%.128s' does not begin with /, as --background needs it",
			    config);
	else if (*settings->socket_path != '/')
		problem_say(problem,
			    "socket: '%.108s' does not begin with /, as --background needs it",
			    settings->socket_path);
	else if (!strncmp(settings->metrics, "unix:", 5) && settings->metrics[5] != '/')
		problem_say(problem,
			    "metrics: '%.128s' does not begin with /, as --background needs it",
			    settings->metrics);
	else
		return 0;
	return -EINVAL;
}

/*
 * What no file can make right is a mistake of the command line, and said before any file is read. A
 * file may allow others to reach the metrics.
 */
static int check_alone(const struct options *options, const struct settings *settings,
		       struct problem *problem)
{
	int error = options->config_path ? 0 : settings_check(settings, problem);

	return error ? error : check_paths(options, settings, problem);
}

int options_parse(struct options *ret, int argc, char *argv[], struct problem *problem)
{
	const struct all_options all = all_options();
	struct options options = { 0 };
	struct settings scratch;
	int error = 0;
	int option;

	optind = 0; /* glibc: begin anew */
	opterr = 0;
	while (!error && (option = getopt_long(argc, argv, ":c:tbhV", all.list, NULL)) != -1)
		error = take_option(&options, option, argv, problem);
	if (error)
		return error;
	if (optind < argc) {
		problem_say(problem, "'%.64s' is no option; --help lists the options",
			    argv[optind]);
		return -EINVAL;
	}
	settings_default(&scratch);
	error = apply_values(&options, &scratch, problem);
	if (!error)
		error = check_alone(&options, &scratch, problem);
	if (!error)
		*ret = options;
	return error;
}

/* As systemd spells it in its units: with a - in front, the file need not be there. */
static int read_file(const char *path, struct settings *settings, struct problem *problem)
{
	bool optional = *path == '-';
	int error = settings_read_file(settings, path + optional, problem);

	return optional && error == -ENOENT ? 0 : error;
}

/* As settings_check(); where a line of the file is to blame, it is named. */
static int check_settings(const struct options *options, const struct settings *settings,
			  struct problem *problem)
{
	const char *file = options->config_path;
	struct problem reason = { "" };
	int error = settings_check(settings, &reason);

	if (!error)
		return 0;
	if (file && settings->metrics_line && !options->values[SETTING_METRICS])
		problem_say(problem, "%s:%d: %s", file + (*file == '-'), settings->metrics_line,
			    reason.text);
	else
		*problem = reason;
	return error;
}

int options_settings(const struct options *options, struct settings *ret, struct problem *problem)
{
	struct settings settings;
	int error;

	settings_default(&settings);
	if (options->config_path) {
		error = read_file(options->config_path, &settings, problem);
		if (error)
			return error;
	}
	error = apply_values(options, &settings, problem);
	if (!error)
		error = check_settings(options, &settings, problem);
	if (!error)
		error = check_paths(options, &settings, problem);
	if (!error)
		*ret = settings;
	return error;
}
