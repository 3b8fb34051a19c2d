/* SPDX-License-Identifier: MIT */
#include "lingertrace/trace_options.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/number.h"
#include "common/options.h"
#include "lingertrace/filter_options.h"

static const double TIME_MOST_S = 1e9;
enum { CONNECTIONS_MOST = 1 << 24, TOP_S = 2 };

static int set_csv(struct trace_options *options, const char *text)
{
	options->csv = text;
	return 0;
}

static int set_json(struct trace_options *options, const char *text)
{
	options->json = text;
	return 0;
}

static int set_summary(struct trace_options *options, const char *text)
{
	(void)text;
	options->summary = true;
	return 0;
}

static int set_time(const char *name, const char *text, uint64_t *ret_ns)
{
	if (!number_parse_seconds(text, TIME_MOST_S, ret_ns) && *ret_ns)
		return 0;
	log_error("--%s %s: not a time in seconds above 0", name, text);
	return -EINVAL;
}

static int set_top(struct trace_options *options, const char *text)
{
	if (text)
		return set_time("top", text, &options->top_ns);
	options->top_ns = TOP_S * NS_PER_S;
	return 0;
}

static int set_duration(struct trace_options *options, const char *text)
{
	return set_time("duration", text, &options->duration_ns);
}

/* Judged when all options are known. */
static int set_metrics(struct trace_options *options, const char *text)
{
	options->metrics = text;
	return 0;
}

static int set_metrics_remote(struct trace_options *options, const char *text)
{
	(void)text;
	options->metrics_remote = true;
	return 0;
}

static int set_hooks(struct trace_options *options, const char *text)
{
	static const char *const names[] = {
		[TRACER_HOOKS_AUTO] = "auto",
		[TRACER_HOOKS_TRACEPOINT] = "tracepoint",
		[TRACER_HOOKS_FENTRY] = "fentry",
	};

	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!strcmp(text, names[i])) {
			options->tracer.hooks = (enum tracer_hooks)i;
			return 0;
		}
	}
	log_error("--hooks %s: not auto, tracepoint or fentry", text);
	return -EINVAL;
}

static int set_time_wait(struct trace_options *options, const char *text)
{
	(void)text;
	options->tracer.time_wait = true;
	return 0;
}

static int set_new_only(struct trace_options *options, const char *text)
{
	(void)text;
	options->tracer.existing = false;
	return 0;
}

static int set_no_close_calls(struct trace_options *options, const char *text)
{
	(void)text;
	options->tracer.no_close_calls = true;
	return 0;
}

static int set_all_close_calls(struct trace_options *options, const char *text)
{
	(void)text;
	options->tracer.all_close_calls = true;
	return 0;
}

static int set_no_mini_sockets(struct trace_options *options, const char *text)
{
	(void)text;
	options->tracer.no_mini_sockets = true;
	return 0;
}

static int set_max_connections(struct trace_options *options, const char *text)
{
	uint64_t count;

	if (number_parse(text, 1, CONNECTIONS_MOST, &count)) {
		log_error("--max-connections %s: not a number from 1 to %d", text,
			  CONNECTIONS_MOST);
		return -EINVAL;
	}
	options->tracer.connections = (uint32_t)count;
	return 0;
}

struct option_row {
	const char *group; /* begins one */
	const char *name;
	const char *argument; /* NULL: none; in brackets: it may be left out */
	const char *help;     /* more lines after '\n' */
	int (*set)(struct trace_options *options, const char *text);
};

static const struct option_row rows[] = {
	{ "Output, the first if there is none:", "csv", "FILE",
	  "one row per connection, to FILE or - for stdout", set_csv },
	{ NULL, "json", "FILE", "one JSON object per connection and line, the same way", set_json },
	{ NULL, "summary", NULL,
	  "at the end: counts, percentiles and distributions,\nwhat was at risk, and why",
	  set_summary },
	{ NULL, "top", "[SEC]", "a live table, every SEC seconds (2)", set_top },
	{ NULL, "metrics", "WHERE",
	  "OpenMetrics at unix:PATH, 127.0.0.1:PORT or\n[::1]:PORT over HTTP, or in file:PATH",
	  set_metrics },
	{ NULL, "metrics-remote", NULL, "let --metrics be an address that others reach",
	  set_metrics_remote },

	{ "Which connections:", "port", "N", "of this local port; may be repeated",
	  filter_options_port },
	{ NULL, "family", "NAME", "ipv4 (on IPv6 sockets, too) or ipv6", filter_options_family },
	{ NULL, "netns", "NS",
	  "of a network namespace: NAME as of ip netns,\n/proc/PID/ns/net, inode",
	  filter_options_netns },
	{ NULL, "cgroup", "PATH", "of sockets made in this cgroup2 folder or below",
	  filter_options_cgroup },
	{ NULL, "pid", "N", "that this process closed or half-closed", filter_options_pid },
	{ NULL, "comm", "NAME", "that a process of this name did", filter_options_comm },
	{ NULL, "new-only", NULL, "not those that are there when the trace begins", set_new_only },
	{ NULL, "max-connections", "N", "have room for N at a time (65536)", set_max_connections },

	{ "How:", "duration", "SEC", "end after this time; else SIGINT or SIGTERM ends it",
	  set_duration },
	{ NULL, "hooks", "HOW", "tracepoint, fentry, or auto: what works best", set_hooks },
	{ NULL, "time-wait", NULL, "measure TIME_WAIT; rows come a minute later", set_time_wait },
	{ NULL, "no-close-calls", NULL, "by tracepoints, do not time close(): cheaper",
	  set_no_close_calls },
	{ NULL, "all-close-calls", NULL,
	  "time every close(), not only those that may block:\nby tracepoints that slows all the "
	  "machine's system calls",
	  set_all_close_calls },
	{ NULL, "no-mini-sockets", NULL, "nor FIN_WAIT_2 after close(): cheaper still",
	  set_no_mini_sockets },
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]), FIRST_ROW = 256 };

static void print_row(const char *name, const char *argument, const char *help)
{
	char option[64];

	snprintf(option, sizeof(option), "%s%s%s", name, argument ? " " : "",
		 argument ? argument : "");
	printf("  %-22s", option);
	for (; *help; help++) {
		putchar(*help);
		if (*help == '\n')
			printf("%24s", "");
	}
	putchar('\n');
}

static void print_usage(void)
{
	char name[32];

	puts("Usage: lingertrace [OPTION]...\n"
	     "\n"
	     "Writes one row per TCP connection: how it was closed, by whom, how long that\n"
	     "took and how it ended. Needs root, or CAP_BPF, CAP_PERFMON and, for\n"
	     "FIN_WAIT_2 after close(), CAP_SYSLOG.");
	for (size_t i = 0; i < ROWS; i++) {
		if (rows[i].group)
			printf("\n%s\n", rows[i].group);
		snprintf(name, sizeof(name), "--%s", rows[i].name);
		print_row(name, rows[i].argument, rows[i].help);
	}
	print_row("-h, --help", NULL, "this text");
	print_row("-V, --version", NULL, "the version");
}

static void fill_known(struct option known[ROWS + 3])
{
	memset(known, 0, (ROWS + 3) * sizeof(*known));
	for (int i = 0; i < ROWS; i++) {
		const char *argument = rows[i].argument;

		known[i].name = rows[i].name;
		known[i].has_arg = !argument	      ? no_argument
				   : *argument == '[' ? optional_argument
						      : required_argument;
		known[i].val = FIRST_ROW + i;
	}
	known[ROWS] = (struct option){ "help", no_argument, NULL, 'h' };
	known[ROWS + 1] = (struct option){ "version", no_argument, NULL, 'V' };
}

/* getopt takes "--top=5" only; there are no other arguments that "--top 5" could mean. */
static const char *argument_of(const struct option_row *row, int argc, char **argv)
{
	if (!optarg && row->argument && optind < argc && isdigit((unsigned char)argv[optind][0]))
		return argv[optind++];
	return optarg;
}

static bool is_stdout(const char *path)
{
	return path && !strcmp(path, "-");
}

static int stat_folder_of(const char *path, struct stat *ret)
{
	char folder[PATH_MAX];
	int length = (int)(basename(path) - path);

	snprintf(folder, sizeof(folder), "%.*s", length, path);
	return stat(length ? folder : ".", ret);
}

static bool will_be_one_file(const char *a, const char *b)
{
	struct stat of_a, of_b;

	return !strcmp(basename(a), basename(b)) && !stat_folder_of(a, &of_a) &&
	       !stat_folder_of(b, &of_b) && of_a.st_dev == of_b.st_dev &&
	       of_a.st_ino == of_b.st_ino;
}

static bool are_one_file(const char *a, const char *b)
{
	struct stat of_a, of_b;

	if (stat(a, &of_a) || stat(b, &of_b))
		return will_be_one_file(a, b);
	return of_a.st_dev == of_b.st_dev && of_a.st_ino == of_b.st_ino && S_ISREG(of_a.st_mode);
}

/* What no option alone can tell. */
static int check(struct trace_options *options)
{
	int to_stdout = is_stdout(options->csv) + is_stdout(options->json) + !!options->top_ns;
	char error[128];

	if (!options->csv && !options->json && !options->summary && !options->top_ns &&
	    !options->metrics)
		options->csv = "-";
	if (options->csv && options->json && !is_stdout(options->csv) &&
	    are_one_file(options->csv, options->json)) {
		log_error("--csv and --json: %s is one file; give each its own", options->json);
		return -EINVAL;
	}
	if (options->tracer.all_close_calls && options->tracer.no_close_calls) {
		log_error("--all-close-calls and --no-close-calls: leave out one of them");
		return -EINVAL;
	}
	if (to_stdout > 1) {
		log_error("only one of --csv -, --json - and --top can have stdout; give the "
			  "others a file");
		return -EINVAL;
	}
	if (options->metrics &&
	    metrics_target_parse(&options->metrics_target, options->metrics,
				 METRICS_ALLOW_FILE |
					 (options->metrics_remote ? METRICS_ALLOW_REMOTE : 0),
				 error, sizeof(error))) {
		log_error("--metrics %s: %s%s", options->metrics, error,
			  strstr(error, "by others") ? "; if that is meant, add --metrics-remote"
						     : "");
		return -EINVAL;
	}
	return 0;
}

enum trace_options_result trace_options_parse(struct trace_options *ret, int argc, char **argv)
{
	struct option known[ROWS + 3];
	const struct option_row *row;
	int option;

	memset(ret, 0, sizeof(*ret));
	ret->tracer.existing = true;
	fill_known(known);
	opterr = 0;
	while ((option = getopt_long(argc, argv, ":hV", known, NULL)) != -1) {
		switch (option) {
		case 'h':
			print_usage();
			return TRACE_OPTIONS_DONE;
		case 'V':
			puts("lingertrace " LINGER_VERSION);
			return TRACE_OPTIONS_DONE;
		case '?':
		case ':':
			options_say_mistake(option, argv);
			return TRACE_OPTIONS_WRONG;
		default:
			row = &rows[option - FIRST_ROW];
			if (row->set(ret, argument_of(row, argc, argv)))
				return TRACE_OPTIONS_WRONG;
		}
	}
	if (optind < argc) {
		log_error("%s: no arguments are taken; see --help", argv[optind]);
		return TRACE_OPTIONS_WRONG;
	}
	return check(ret) ? TRACE_OPTIONS_WRONG : TRACE_OPTIONS_RUN;
}
