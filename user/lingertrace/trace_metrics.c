/* SPDX-License-Identifier: MIT */
#include "lingertrace/trace_metrics.h"

#include "tracer/close_end.h"

static void observe(struct metrics_histogram *histogram, uint64_t ns)
{
	if (ns != CLOSE_TRACE_UNKNOWN)
		metrics_observe(histogram, ns);
}

void trace_metrics_add(struct trace_metrics *metrics, const struct close_record *record)
{
	unsigned int end = totals_end(record);

	observe(&metrics->stays[METRICS_FIN_WAIT_1][end], record->fin_wait_1_ns);
	observe(&metrics->stays[METRICS_FIN_WAIT_2][end], record->fin_wait_2_ns);
	observe(&metrics->stays[METRICS_ORPHAN][end], record->orphan_ns);
	observe(&metrics->stays[METRICS_CLOSE_CALL][end], record->close_call_ns);
	observe(&metrics->stays[METRICS_CLOSE_WAIT][end], record->close_wait_ns);
}

static const char *end_value(unsigned int end)
{
	const char *name = close_end_name(end);

	return name ? name : "unknown";
}

static void write_ends(const struct totals *totals, struct metrics_text *text)
{
	metrics_family(text, METRICS_COUNTER, "lingertrace_connections", NULL,
		       "Connections that were reported, by how they ended.");
	for (unsigned int end = 0; end < TOTALS_ENDS; end++) {
		const struct metrics_label labels[] = { { "end", end_value(end) }, { 0 } };

		metrics_value(text, labels, totals->ends[end]);
	}
}

static void write_verdicts(const struct tallies *tallies, bool risks, struct metrics_text *text)
{
	const struct tally *sorted[TALLY_MOST];
	size_t count = tallies_sort(tallies, sorted);

	for (size_t i = 0; i < count; i++) {
		const struct metrics_label labels[] = {
			{ "verdict", verdict_name(sorted[i]->verdict) },
			{ "comm", sorted[i]->comm },
			{ 0 },
		};

		if (verdict_is_risk(sorted[i]->verdict) == risks)
			metrics_value(text, labels, sorted[i]->count);
	}
}

static void write_stays(const struct trace_metrics *metrics, struct metrics_text *text)
{
	static const struct {
		const char *name;
		const char *help;
	} families[METRICS_STAYS] = {
		[METRICS_FIN_WAIT_1] = { "lingertrace_fin_wait_1_seconds",
					 "Stays in FIN_WAIT_1, from our FIN to its "
					 "acknowledgement." },
		[METRICS_FIN_WAIT_2] = { "lingertrace_fin_wait_2_seconds",
					 "Stays in FIN_WAIT_2, after close() too." },
		[METRICS_ORPHAN] = { "lingertrace_orphan_seconds",
				     "The part of FIN_WAIT_2 after close()." },
		[METRICS_CLOSE_CALL] = { "lingertrace_close_call_seconds",
					 "How long close() blocked, where it was timed." },
		[METRICS_CLOSE_WAIT] = { "lingertrace_close_wait_seconds",
					 "Stays in CLOSE_WAIT, from the FIN of the peer to ours." },
	};

	for (unsigned int stay = 0; stay < METRICS_STAYS; stay++) {
		metrics_family(text, METRICS_HISTOGRAM, families[stay].name, "seconds",
			       families[stay].help);
		for (unsigned int end = 0; end < TOTALS_ENDS; end++) {
			const struct metrics_label labels[] = { { "end", end_value(end) }, { 0 } };

			metrics_histogram(text, labels, &metrics->stays[stay][end]);
		}
	}
}

static void write_losses(const struct totals *totals, const struct tracer_counts *counts,
			 struct metrics_text *text)
{
	const struct metrics_label ring[] = { { "cause", "ring_full" }, { 0 } };
	const struct metrics_label table[] = { { "cause", "table_full" }, { 0 } };

	metrics_family(text, METRICS_COUNTER, "lingertrace_lost_records", NULL,
		       "Connections without a record: the ring buffer was full at their end, or "
		       "the table at their beginning.");
	metrics_value(text, ring, counts->ring_full);
	metrics_value(text, table, counts->map_full);
	metrics_family(text, METRICS_COUNTER, "lingertrace_missed_events", NULL,
		       "Events that the kernel did not report to the tracer.");
	metrics_value(text, NULL, counts->missed_events);
	metrics_family(text, METRICS_COUNTER, "lingertrace_incomplete_records", NULL,
		       "Records of which an event was missed.");
	metrics_value(text, NULL, totals->incomplete);
	metrics_family(text, METRICS_COUNTER, "lingertrace_filtered_records", NULL,
		       "Connections closed by others than --pid or --comm want.");
	metrics_value(text, NULL, counts->filtered);
	if (counts->stray_resets == CLOSE_TRACE_UNKNOWN)
		return;
	metrics_family(text, METRICS_COUNTER, "lingertrace_stray_resets", NULL,
		       "RSTs that this host sent for no connection that was followed.");
	metrics_value(text, NULL, counts->stray_resets);
}

static void write_followed(const struct totals *totals, const struct tracer_counts *counts,
			   struct metrics_text *text)
{
	uint64_t over = totals->rows + counts->ring_full + counts->map_full + counts->filtered;

	metrics_family(text, METRICS_GAUGE, "lingertrace_followed_connections", NULL,
		       "Connections that are followed and have not ended.");
	/* Counted by the kernel while others are read here: it may be ahead, or behind. */
	metrics_value(text, NULL, counts->followed > over ? counts->followed - over : 0);
}

void trace_metrics_write(const struct trace_metrics *metrics, const struct totals *totals,
			 const struct tallies *tallies, const struct tracer_counts *counts,
			 const char *hooks, struct metrics_text *text)
{
	const struct metrics_label about[] = { { "version", LINGER_VERSION },
					       { "hooks", hooks },
					       { 0 } };

	metrics_family(text, METRICS_GAUGE, "lingertrace_info", NULL,
		       "Always 1; the labels say what traces.");
	metrics_value(text, about, 1);
	write_ends(totals, text);
	metrics_family(text, METRICS_COUNTER, "lingertrace_at_risk", NULL,
		       "Connections whose response may have been lost, by what happened and who "
		       "did it.");
	write_verdicts(tallies, true, text);
	metrics_family(text, METRICS_COUNTER, "lingertrace_notices", NULL,
		       "Connections that lost nothing, but were closed badly.");
	write_verdicts(tallies, false, text);
	write_stays(metrics, text);
	write_losses(totals, counts, text);
	write_followed(totals, counts, text);
}
