/* SPDX-License-Identifier: MIT */
/* lingerd-drain(8): has the kernel ready to drain connections for lingerd, which has no rights to do that itself. */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/options.h"
#include "lingerd-drain/table.h"

#define DEFAULT_TABLE "/run/lingerd-drain/connections"
#define DEFAULT_USER  "lingerd"

enum { USAGE_ERROR = 2 };

static const char usage[] =
	"Usage: lingerd-drain [OPTION]... load | unload\n"
	"Loads the program by which the kernel throws away what the peers of lingering "
	"connections\n"
	"send, and pins its table, for a lingerd with \"drain = kernel\". To be run as root, "
	"once.\n"
	"\n"
	"  load                 load it, in place of one that is there\n"
	"  unload               take the table away; a lingerd that has it keeps it\n"
	"\n"
	"  -p, --table PATH     where the table is pinned (" DEFAULT_TABLE ")\n"
	"  -u, --user NAME      who may use it (" DEFAULT_USER
	", or root if there is no such user)\n"
	"  -h, --help           this text\n"
	"  -V, --version        the version\n";

static const struct option options[] = {
	{ "table", required_argument, NULL, 'p' },
	{ "user", required_argument, NULL, 'u' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ 0 },
};

static int complain(const char *what, const char *which)
{
	log_error("%s%s%s (lingerd-drain --help lists what there is)", what, which ? ": " : "",
		  which ? which : "");
	return USAGE_ERROR;
}

static int load(const char *path, const char *name)
{
	const struct passwd *user = getpwnam(name ? name : DEFAULT_USER);

	if (!user && name)
		return complain("--user: there is no such user", name);
	return table_load(path, user ? user->pw_uid : 0, user ? user->pw_gid : 0) ? 1 : 0;
}

int main(int argc, char *argv[])
{
	const char *path = DEFAULT_TABLE, *user = NULL, *command;
	int letter;

	log_open("lingerd-drain");
	opterr = 0;
	while ((letter = getopt_long(argc, argv, ":p:u:hV", options, NULL)) != -1) {
		switch (letter) {
		case 'p':
			path = optarg;
			break;
		case 'u':
			user = optarg;
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		case 'V':
			puts("lingerd-drain " LINGER_VERSION);
			return 0;
		default:
			options_say_mistake(letter, argv);
			return USAGE_ERROR;
		}
	}
	if (*path != '/' || strlen(path) > PATH_MAX - 16)
		return complain("--table: not a path from / on", path);
	if (argc - optind != 1)
		return complain("one command is expected, load or unload", NULL);
	command = argv[optind];
	if (!strcmp(command, "load"))
		return load(path, user);
	if (!strcmp(command, "unload"))
		return table_unload(path) ? 1 : 0;
	return complain("no such command", command);
}
