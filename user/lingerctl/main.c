/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/number.h"
#include "common/options.h"
#include "liblinger/linger.h"
#include "lingerctl/ask.h"
#include "lingerctl/live.h"
#include "lingerctl/status.h"

enum { EXIT_OK, EXIT_FAILED, EXIT_USAGE };

struct options {
	const char *socket_path;
	uint64_t interval_ns; /* of top; 0: not given */
	uint64_t count;	      /* likewise */
	bool json;
	bool help;
	bool version;
};

static const char usage[] =
	"Usage: lingerctl COMMAND [OPTION]...\n"
	"Asks a running lingerd, or tells it what to do.\n"
	"\n"
	"  status     print what it has counted\n"
	"  top        show what it does: a live table, or lines where stdout is no terminal\n"
	"  drain      take no more connections, and end when those that linger have ended\n"
	"  close-all  close all connections that linger now\n"
	"  reload     read the configuration file again, as at SIGHUP\n"
	"\n"
	"      --json         print JSON: one object, with top one a line\n"
	"      --interval SEC top: how often to look (1)\n"
	"      --count N      top: so often, then end (until Ctrl-C)\n"
	"      --socket PATH  the daemon's socket (" LINGER_DEFAULT_SOCKET ")\n"
	"  -h, --help         this text\n"
	"  -V, --version      the version\n"
	"\n"
	"drain, close-all and reload are for root and the daemon's own user.\n";

static int parse_interval(struct options *options, const char *text)
{
	if (!number_parse_seconds(text, 3600, &options->interval_ns) &&
	    options->interval_ns >= NS_PER_S / 10)
		return 0;
	log_error("--interval: '%.32s' is no time in seconds, from 0.1 to 3600", text);
	return -EINVAL;
}

static int parse_count(struct options *options, const char *text)
{
	if (!number_parse(text, 1, UINT32_MAX, &options->count))
		return 0;
	log_error("--count: '%.32s' is no number from 1 up", text);
	return -EINVAL;
}

static int take_option(struct options *options, int option)
{
	switch (option) {
	case 'j':
		options->json = true;
		return 0;
	case 'i':
		return parse_interval(options, optarg);
	case 'n':
		return parse_count(options, optarg);
	case 's':
		options->socket_path = optarg;
		return 0;
	case 'h':
		options->help = true;
		return 0;
	case 'V':
		options->version = true;
		return 0;
	default:
		return -EINVAL; /* parse() says why */
	}
}

static int parse(struct options *ret, int argc, char *argv[])
{
	static const struct option long_options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "interval", required_argument, NULL, 'i' },
		{ "count", required_argument, NULL, 'n' },
		{ "socket", required_argument, NULL, 's' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ 0 },
	};
	int option, error = 0;

	*ret = (struct options){ .socket_path = LINGER_DEFAULT_SOCKET };
	opterr = 0;
	while (!error && (option = getopt_long(argc, argv, ":hV", long_options, NULL)) != -1) {
		error = take_option(ret, option);
		if (option == '?' || option == ':')
			options_say_mistake(option, argv);
	}
	return error;
}

/* connect(2) says the same of it as of a socket that nobody listens on. */
static bool is_no_socket(const char *path)
{
	struct stat there;

	return !stat(path, &there) && !S_ISSOCK(there.st_mode);
}

static const char *explain(int error)
{
	switch (error) {
	case -ENOENT:
		return "no such socket: is lingerd running, and with this path? (One that drains "
		       "or stops takes no questions.)";
	case -ECONNREFUSED:
		return "nobody listens there: lingerd has been killed, or is ending";
	case -EACCES:
		return "no permission: be a member of the group that owns the socket, and one of "
		       "allow-users or allow-groups where there are such";
	case -ETIMEDOUT:
		return "no answer within five seconds; what was asked for may still be done";
	case -EPROTO:
	case -EPROTOTYPE:
		return "the answer is none of lingerd's";
	default:
		return strerror(-error);
	}
}

static int failed(const struct options *options, int error)
{
	log_error("%s: %s", options->socket_path,
		  error == -ECONNREFUSED && is_no_socket(options->socket_path)
			  ? "this is no socket; the one of lingerd is given with --socket"
			  : explain(error));
	return EXIT_FAILED;
}

static int printed(void)
{
	if (!fflush(stdout) && !ferror(stdout))
		return EXIT_OK;
	log_error("cannot write to stdout: %s", strerror(errno ? errno : EIO));
	return EXIT_FAILED;
}

static int status(const struct options *options, enum linger_message_type type)
{
	char text[65536];
	int error = ask(options->socket_path, type, text, sizeof(text));
	const char *refusal = error ? NULL : answer_error(text);

	if (refusal) {
		log_error("%s", refusal);
		return EXIT_FAILED;
	}
	if (!error)
		error = options->json ? status_print_json(stdout, text)
				      : status_print_table(stdout, text);
	return error ? failed(options, error) : printed();
}

static int top(const struct options *options, enum linger_message_type type)
{
	int error = live_run(&(struct live_options){
		.socket_path = options->socket_path,
		.interval_ns = options->interval_ns ? options->interval_ns : NS_PER_S,
		.count = options->count,
		.json = options->json,
	});

	(void)type;
	if (error == LIVE_UNWRITABLE)
		return EXIT_FAILED;
	return error ? failed(options, error) : EXIT_OK;
}

static int say_answer(const struct options *options, bool ok, const char *text)
{
	int error = 0;

	if (options->json)
		error = answer_print_json(stdout, ok, text);
	else if (ok)
		log_info("%s", text);
	else
		log_error("%s", text);
	if (error)
		return failed(options, error);
	return printed() || !ok ? EXIT_FAILED : EXIT_OK;
}

/* The answer is "ok: ..." or "error: ..." */
static int command(const struct options *options, enum linger_message_type type)
{
	char text[1024];
	int error = ask(options->socket_path, type, text, sizeof(text));
	const char *refusal = error ? NULL : answer_error(text);

	if (error)
		return failed(options, error);
	if (refusal)
		return say_answer(options, false, refusal);
	if (strncmp(text, "ok: ", 4) != 0)
		return failed(options, -EPROTO);
	text[strcspn(text, "\n")] = '\0';
	return say_answer(options, true, text + 4);
}

static const struct verb {
	const char *name;
	enum linger_message_type type;
	int (*run)(const struct options *options, enum linger_message_type type);
} verbs[] = {
	{ "status", LINGER_MESSAGE_STATUS, status },
	{ "top", LINGER_MESSAGE_STATUS, top },
	{ "drain", LINGER_MESSAGE_DRAIN, command },
	{ "close-all", LINGER_MESSAGE_CLOSE_ALL, command },
	{ "reload", LINGER_MESSAGE_RELOAD, command },
};

static const struct verb *find_verb(const char *name)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (!strcmp(name, verbs[i].name))
			return &verbs[i];
	return NULL;
}

static int run(const struct options *options, int argc, char *argv[])
{
	const struct verb *verb = optind < argc ? find_verb(argv[optind]) : NULL;

	if (optind == argc)
		log_error("say what to do: status, top, drain, close-all or reload (see --help)");
	else if (!verb)
		log_error("there is no command '%s' (see --help)", argv[optind]);
	else if (optind + 1 < argc)
		log_error("'%s' is too much (see --help)", argv[optind + 1]);
	else if ((options->interval_ns || options->count) && verb->run != top)
		log_error("--interval and --count are for top alone");
	else
		return verb->run(options, verb->type);
	return EXIT_USAGE;
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
	return run(&options, argc, argv);
}
