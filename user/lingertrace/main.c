/* SPDX-License-Identifier: MIT */
/* lingertrace: one row per TCP connection, from the tracer to files, tables and metrics. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/units.h"
#include "lingertrace/outputs.h"
#include "lingertrace/trace_options.h"
#include "tracer/tracer.h"

enum { POLL_MS = 100, EXIT_USAGE = 2 };

struct run {
	struct trace_options options;
	struct tracer *tracer;
	struct outputs *outputs;
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
	sigaction(SIGHUP, &action, NULL);
	/* A reader that went away, a file at its limit: errors of write() like any other. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
}

static void take_record(void *context, const struct close_record *record)
{
	const struct run *run = context;

	outputs_take(run->outputs, record);
}

static void say_limits(const struct run *run)
{
	if (!tracer_follows_mini_sockets(run->tracer))
		log_warning("tracing FIN_WAIT_2 after close() takes fentry, or Linux 6.11 and "
			    "CAP_SYSLOG and kernel.kptr_restrict below 2; its fields stay empty");
	if (!tracer_times_close_calls(run->tracer) && !run->options.tracer.no_close_calls)
		log_warning("this kernel does not let close() be timed; close_call_us stays empty");
}

static int start(struct run *run)
{
	size_t ports = run->options.tracer.filter.port_count;
	const char *hooks;
	char error[256];

	run->options.tracer.on_record = take_record;
	run->options.tracer.context = run;
	if (tracer_open(&run->tracer, &run->options.tracer, error, sizeof(error))) {
		log_error("%s", error);
		return -1;
	}
	/* After the tracer: what cannot trace must not empty the file of an earlier run. */
	if (outputs_open(&run->outputs, &run->options, run->tracer))
		return -1;
	say_limits(run);
	hooks = tracer_uses_fentry(run->tracer) ? "fentry" : "tracepoints";
	if (ports)
		log_info("tracing %zu local port%s by %s", ports, ports == 1 ? "" : "s", hooks);
	else
		log_info("tracing all ports by %s", hooks);
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
		if (outputs_run(run->outputs))
			return -1;
	}
	return 0;
}

static void say_counts(const struct run *run)
{
	const struct tracer_filter *filter = &run->options.tracer.filter;
	const uint64_t rows = outputs_totals(run->outputs)->rows;
	struct tracer_counts counts;
	char filtered[48] = "";
	uint64_t lost;

	tracer_get_counts(run->tracer, &counts);
	lost = counts.ring_full + counts.map_full;
	if (counts.missed_events)
		log_warning("missed %" PRIu64 " kernel event%s, of any connections: of the rows "
			    "written, %" PRIu64 " are incomplete; others may be missing",
			    counts.missed_events, units_plural(counts.missed_events),
			    outputs_totals(run->outputs)->incomplete);
	if (filter->pid || filter->comm[0])
		snprintf(filtered, sizeof(filtered), ", %" PRIu64 " filtered", counts.filtered);
	log_info("%" PRIu64 " row%s written, %" PRIu64 " record%s lost (ring buffer full: %" PRIu64
		 ", table full: %" PRIu64 ")%s",
		 rows, units_plural(rows), lost, units_plural(lost), counts.ring_full,
		 counts.map_full, filtered);
}

/* traced: so far, all went well. What has been collected is brought to its end in any case. */
static int finish(struct run *run, bool traced)
{
	int result = tracer_finish(run->tracer);

	if (result && traced)
		log_error("cannot read the last records: %s", strerror(-result));
	if (outputs_finish(run->outputs) || result || !traced)
		return -1;
	say_counts(run);
	return 0;
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
	if (!start(&run)) {
		bool traced = !trace(&run);

		if (!finish(&run, traced))
			status = EXIT_SUCCESS;
	}
	outputs_close(run.outputs);
	tracer_close(run.tracer);
	return status;
}
