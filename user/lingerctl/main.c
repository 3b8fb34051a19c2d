/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "liblinger/linger.h"
#include "lingerctl/status.h"

enum { EXIT_OK, EXIT_FAILED, EXIT_USAGE };

struct options {
	const char *socket_path;
	bool json;
	bool help;
	bool version;
};

static const char usage[] = "Usage: lingerctl status [--json] [--socket PATH]\n"
			    "Prints what a running lingerd has counted.\n"
			    "\n"
			    "      --json         one JSON object instead of a table\n"
			    "      --socket PATH  the daemon's socket (" LINGER_DEFAULT_SOCKET ")\n"
			    "  -h, --help         this text\n"
			    "  -V, --version      the version\n";

static int parse(struct options *ret, int argc, char *argv[])
{
	static const struct option long_options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "socket", required_argument, NULL, 's' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ 0 },
	};
	int option;

	*ret = (struct options){ .socket_path = LINGER_DEFAULT_SOCKET };
	while ((option = getopt_long(argc, argv, "hV", long_options, NULL)) != -1) {
		if (option == 'j')
			ret->json = true;
		else if (option == 's')
			ret->socket_path = optarg;
		else if (option == 'h')
			ret->help = true;
		else if (option == 'V')
			ret->version = true;
		else
			return -EINVAL; /* getopt has said why */
	}
	return 0;
}

static const char *explain(int error)
{
	switch (error) {
	case -ENOENT:
		return "no such socket: is lingerd running, and with this path?";
	case -ECONNREFUSED:
		return "nobody listens there: lingerd has been killed, or is ending";
	case -EACCES:
		return "no permission: be a member of the group that owns the socket";
	case -ETIMEDOUT:
		return "no answer within five seconds";
	case -EPROTO:
	case -EPROTOTYPE:
		return "the answer is none of lingerd's";
	default:
		return strerror(-error);
	}
}

static int status(const struct options *options)
{
	char text[65536];
	int error = status_ask(options->socket_path, text, sizeof(text));

	if (!error)
		error = options->json ? status_print_json(stdout, text)
				      : status_print_table(stdout, text);
	if (!error && fflush(stdout))
		error = -errno;
	if (!error)
		return EXIT_OK;
	log_error("%s: %s", options->socket_path, explain(error));
	return EXIT_FAILED;
}

int main(int argc, char *argv[])
{
	struct options options;

	log_open("lingerctl");
	if (parse(&options, argc, argv))
		return EXIT_USAGE;
	if (options.help) {
		fputs(usage, stdout);
		return EXIT_OK;
	}
	if (options.version) {
		puts("lingerctl " LINGER_VERSION);
		return EXIT_OK;
	}
	if (optind + 1 != argc || strcmp(argv[optind], "status") != 0) {
		if (optind < argc && strcmp(argv[optind], "status") != 0)
			log_error("there is no command '%s'; expected: lingerctl status",
				  argv[optind]);
		else
			log_error("say what to do: lingerctl status (--help lists the options)");
		return EXIT_USAGE;
	}
	return status(&options);
}
