/* SPDX-License-Identifier: MIT */
#include "lingertrace/trace_options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>

#include "common/log.h"
#include "common/number.h"

static const double DURATION_MOST_S = 1e9;

static void print_usage(void)
{
	puts("Usage: lingertrace [--csv FILE|-] [--summary] [--port N]... [--duration SEC]\n"
	     "\n"
	     "Writes one row per TCP connection: how it was closed, how long that took, how it\n"
	     "ended. Follows the connections that are established while it runs.\n"
	     "\n"
	     "      --csv FILE      write CSV to FILE, - for stdout (the default without "
	     "--summary)\n"
	     "      --summary       print counts and percentiles when the trace ends\n"
	     "      --port N        follow connections of this local port only; may be repeated\n"
	     "      --duration SEC  end after this time; otherwise SIGINT or SIGTERM ends it\n"
	     "  -h, --help          this text\n"
	     "  -V, --version       the version");
}

static int add_port(struct trace_options *options, const char *text)
{
	uint64_t port;

	if (number_parse(text, 1, UINT16_MAX, &port)) {
		log_error("--port %s: not a port (1 to 65535)", text);
		return -EINVAL;
	}
	if (options->port_count == TRACE_PORTS_MAX) {
		log_error("--port: more than %d ports", TRACE_PORTS_MAX);
		return -EINVAL;
	}
	options->ports[options->port_count++] = (uint16_t)port;
	return 0;
}

static int set_duration(struct trace_options *options, const char *text)
{
	if (!number_parse_seconds(text, DURATION_MOST_S, &options->duration_ns) &&
	    options->duration_ns)
		return 0;
	log_error("--duration %s: not a time in seconds above 0", text);
	return -EINVAL;
}

enum trace_options_result trace_options_parse(struct trace_options *ret, int argc, char **argv)
{
	static const struct option known[] = {
		{ "csv", required_argument, NULL, 'c' },
		{ "summary", no_argument, NULL, 's' },
		{ "port", required_argument, NULL, 'p' },
		{ "duration", required_argument, NULL, 'd' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ 0 },
	};
	struct trace_options options = { 0 };
	int result = 0;
	int option;

	while (!result && (option = getopt_long(argc, argv, "hV", known, NULL)) != -1) {
		switch (option) {
		case 'c':
			options.csv = optarg;
			break;
		case 's':
			options.summary = true;
			break;
		case 'p':
			result = add_port(&options, optarg);
			break;
		case 'd':
			result = set_duration(&options, optarg);
			break;
		case 'h':
			print_usage();
			return TRACE_OPTIONS_DONE;
		case 'V':
			puts("lingertrace " LINGER_VERSION);
			return TRACE_OPTIONS_DONE;
		default: /* getopt has said what is wrong */
			result = -EINVAL;
		}
	}
	if (!result && optind < argc) {
		log_error("%s: no arguments are taken; see --help", argv[optind]);
		result = -EINVAL;
	}
	if (result)
		return TRACE_OPTIONS_WRONG;
	if (!options.csv && !options.summary)
		options.csv = "-";
	*ret = options;
	return TRACE_OPTIONS_RUN;
}
