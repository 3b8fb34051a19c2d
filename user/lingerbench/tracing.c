/* SPDX-License-Identifier: MIT */
#include "lingerbench/tracing.h"

#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/units.h"

/* How long the records of the last connections are waited for. */
enum { TRACE_GRACE_MS = 500 };

static bool turn_on(struct tracing *tracing)
{
	const struct tracer_options options = { .filter = { .ports = &tracing->port,
							    .port_count = 1 },
						.all_close_calls = true,
						.on_record = tracelog_add,
						.context = &tracing->log };

	if (!tracer_open(&tracing->tracer, &options, tracing->error, sizeof(tracing->error)))
		return true;
	tracing->tracer = NULL;
	return false;
}

void tracing_begin(struct tracing *tracing, bool wanted, uint16_t port, struct warnings *warnings)
{
	tracing->port = port;
	tracing->warnings = warnings;
	if (!wanted) {
		tracing->impossible = "switched off: [trace] enabled = no";
		return;
	}
	if (!turn_on(tracing)) {
		tracing->impossible = tracing->error;
		warnings_add(warnings, "not traced: %s", tracing->error);
		log_info(
			"outcomes, worker hold times and throughput are measured all the same; the "
			"columns of the tracer stay empty");
	} else if (!tracer_follows_mini_sockets(tracing->tracer))
		warnings_add(warnings,
			     "FIN_WAIT_2 after close() cannot be followed here and stays empty: it "
			     "takes fentry, or Linux 6.11 and, unless root, CAP_SYSLOG, and "
			     "kernel.kptr_restrict below 2");
}

static void add_counts(struct tracing *tracing)
{
	struct tracer_counts counts;

	tracer_get_counts(tracing->tracer, &counts);
	tracing->counts.followed += counts.followed;
	tracing->counts.filtered += counts.filtered;
	tracing->counts.ring_full += counts.ring_full;
	tracing->counts.map_full += counts.map_full;
	tracing->counts.missed_events += counts.missed_events;
}

static void turn_off(struct tracing *tracing)
{
	uint64_t until = clock_now_ns() + TRACE_GRACE_MS * NS_PER_MS;
	int error = 0;

	while (!error && clock_now_ns() < until)
		error = tracer_poll(tracing->tracer, 50);
	error = tracer_finish(tracing->tracer);
	if (error)
		warnings_add(tracing->warnings, "the tracer stumbled: %s", strerror(-error));
	add_counts(tracing);
	tracer_close(tracing->tracer);
	tracing->tracer = NULL;
}

void tracing_switch(struct tracing *tracing, bool on)
{
	if (on == (tracing->tracer != NULL) || tracing->impossible)
		return;
	if (!on)
		turn_off(tracing);
	else if (!turn_on(tracing))
		warnings_add(tracing->warnings, "a part of the run is not traced: %s",
			     tracing->error);
}

static void warn_of_losses(const struct tracing *tracing)
{
	const struct tracer_counts *counts = &tracing->counts;

	if (counts->ring_full || counts->map_full)
		warnings_add(tracing->warnings,
			     "the tracer lost %llu record%s (ring full) and %llu connection%s (map "
			     "full)",
			     (unsigned long long)counts->ring_full, units_plural(counts->ring_full),
			     (unsigned long long)counts->map_full, units_plural(counts->map_full));
	if (counts->missed_events)
		warnings_add(tracing->warnings,
			     "the kernel did not report %llu event%s to the tracer; what is not "
			     "known for that is empty",
			     (unsigned long long)counts->missed_events,
			     units_plural(counts->missed_events));
	if (tracing->log.out_of_memory)
		warnings_add(tracing->warnings, "no memory for all records of the tracer");
}

void tracing_finish(struct tracing *tracing)
{
	if (tracing->tracer)
		turn_off(tracing);
	warn_of_losses(tracing);
	tracelog_sort(&tracing->log);
}

void tracing_free(struct tracing *tracing)
{
	tracer_close(tracing->tracer);
	tracelog_free(&tracing->log);
}
