/* SPDX-License-Identifier: MIT */
/* lingertrace: one row per TCP connection, from the tracer to CSV and a summary. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "lingertrace/trace_options.h"
#include "lingertrace/trace_summary.h"
#include "tracer/trace_csv.h"
#include "tracer/tracer.h"

enum { POLL_MS = 100, EXIT_USAGE = 2 };

struct run {
	struct trace_options options;
	struct tracer *tracer;
	struct csv *csv;
	struct trace_summary *summary;
	uint64_t rows;
	int csv_error;
};

static volatile sig_atomic_t end_wanted;

static void want_end(int signal)
{
	(void)signal;
	end_wanted = 1;
}

static void catch_signals(void)
{
	struct sigaction action = { .sa_handler = want_end };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	/* A reader that went away, a file at its limit: errors of write() like any other. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
}

static void take_record(void *context, const struct close_record *record)
{
	struct run *run = context;

	run->rows++;
	if (run->csv && !run->csv_error)
		run->csv_error = trace_csv_row(run->csv, record);
	if (run->summary)
		trace_summary_add(run->summary, record);
}

static int fail_csv(struct run *run)
{
	log_error("cannot write %s: %s",
		  strcmp(run->options.csv, "-") ? run->options.csv : "stdout",
		  strerror(-run->csv_error));
	return -1;
}

static int start(struct run *run)
{
	struct tracer_options options = {
		.filter = { .ports = run->options.ports, .port_count = run->options.port_count },
		.on_record = take_record,
		.context = run,
	};
	char error[256];

	if (run->options.summary && !(run->summary = trace_summary_new())) {
		log_error("out of memory");
		return -1;
	}
	if (tracer_open(&run->tracer, &options, error, sizeof(error))) {
		log_error("%s", error);
		return -1;
	}
	/* After the tracer: what cannot trace must not empty the file of an earlier run. */
	if (run->options.csv) {
		run->csv_error = csv_create(&run->csv, run->options.csv);
		if (!run->csv_error)
			run->csv_error = trace_csv_header(run->csv);
		if (!run->csv_error)
			run->csv_error = csv_flush(run->csv);
		if (run->csv_error)
			return fail_csv(run);
	}
	if (!tracer_follows_mini_sockets(run->tracer))
		log_warning("tracing FIN_WAIT_2 after close() takes fentry, or Linux 6.11 and "
			    "CAP_SYSLOG; "
			    "its fields stay empty");
	if (run->options.port_count)
		log_info("tracing %zu local port%s", run->options.port_count,
			 run->options.port_count == 1 ? "" : "s");
	else
		log_info("tracing all ports");
	return 0;
}

static int trace(struct run *run)
{
	uint64_t began = clock_now_ns();
	uint64_t duration = run->options.duration_ns;
	uint64_t passed;

	while (!end_wanted) {
		int wait_ms = POLL_MS;
		int result;

		passed = clock_now_ns() - began;
		if (duration && passed >= duration)
			break;
		if (duration && duration - passed < POLL_MS * NS_PER_MS)
			wait_ms = (int)((duration - passed) / NS_PER_MS) + 1;
		result = tracer_poll(run->tracer, wait_ms);
		if (result && result != -EINTR) {
			log_error("cannot read the records: %s", strerror(-result));
			return -1;
		}
		if (run->csv && !run->csv_error)
			run->csv_error = csv_flush(run->csv);
		if (run->csv_error)
			return fail_csv(run);
	}
	return 0;
}

/* Stdout is the table's, unless the CSV went there. */
static int print_summary(const struct run *run)
{
	FILE *out = run->options.csv && !strcmp(run->options.csv, "-") ? stderr : stdout;

	trace_summary_print(run->summary, out);
	if (!fflush(out) && !ferror(out))
		return 0;
	log_error("cannot write the summary: %s", strerror(errno));
	return -1;
}

static int finish(struct run *run)
{
	struct tracer_counts losses;
	int result = tracer_finish(run->tracer);
	int csv_result;

	if (result)
		log_error("cannot read the last records: %s", strerror(-result));
	csv_result = csv_close(run->csv);
	run->csv = NULL;
	run->csv_error = run->csv_error ? run->csv_error : csv_result;
	if (run->csv_error)
		return fail_csv(run);
	if (run->summary && print_summary(run))
		return -1;
	tracer_get_counts(run->tracer, &losses);
	if (losses.missed_events)
		log_warning("%" PRIu64 " kernel events were missed: some fields are empty, "
			    "some connections may have no row",
			    losses.missed_events);
	log_info("%" PRIu64 " rows written, %" PRIu64 " records lost (ring buffer full: %" PRIu64
		 ", table full: %" PRIu64 ")",
		 run->rows, losses.ring_full + losses.map_full, losses.ring_full, losses.map_full);
	return result;
}

int main(int argc, char **argv)
{
	struct run run = { 0 };
	int status = EXIT_FAILURE;

	log_open("lingertrace");
	switch (trace_options_parse(&run.options, argc, argv)) {
	case TRACE_OPTIONS_DONE:
		return EXIT_SUCCESS;
	case TRACE_OPTIONS_WRONG:
		return EXIT_USAGE;
	case TRACE_OPTIONS_RUN:
		break;
	}
	catch_signals();
	if (!start(&run) && !trace(&run) && !finish(&run))
		status = EXIT_SUCCESS;
	csv_close(run.csv);
	tracer_close(run.tracer);
	trace_summary_free(run.summary);
	return status;
}
