/* SPDX-License-Identifier: MIT */
#include "lingertrace/trace_summary.h"

#include <inttypes.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/histogram.h"
#include "lingertrace/sentence.h"
#include "tracer/close_end.h"

enum { POWERS = 64, BAR_WIDTH = 40 };

/* Of the connections with one end, how long one thing took. */
struct stay {
	struct histogram ns;
	uint64_t powers[POWERS]; /* 0: below 1 us; i: from 2^(i-1) us on */
};

enum stay_kind { FIN_WAIT_1, FIN_WAIT_2, ORPHAN, CLOSE_CALL, TIME_WAIT, STAYS };

struct trace_summary {
	struct stay stays[STAYS][TOTALS_ENDS];
};

/* The order of the ends in tables. */
static const enum close_end ends[TOTALS_ENDS] = {
	CLOSE_END_FIN,	   CLOSE_END_TIMEOUT, CLOSE_END_RESET_SENT, CLOSE_END_RESET_RECEIVED,
	CLOSE_END_ABORTED, CLOSE_END_OPEN,    CLOSE_END_UNKNOWN,
};

static const char *end_label(enum close_end end)
{
	const char *name = close_end_name(end);

	return name ? name : "not known";
}

struct trace_summary *trace_summary_new(void)
{
	return calloc(1, sizeof(struct trace_summary));
}

void trace_summary_free(struct trace_summary *summary)
{
	free(summary);
}

static void add(struct stay *stay, uint64_t ns)
{
	uint64_t us = ns / NS_PER_US;

	if (ns == CLOSE_TRACE_UNKNOWN)
		return;
	histogram_add(&stay->ns, ns);
	stay->powers[us ? 64 - __builtin_clzll(us) : 0]++;
}

void trace_summary_add(struct trace_summary *summary, const struct close_record *record)
{
	unsigned int end = totals_end(record);

	add(&summary->stays[FIN_WAIT_1][end], record->fin_wait_1_ns);
	add(&summary->stays[FIN_WAIT_2][end], record->fin_wait_2_ns);
	add(&summary->stays[ORPHAN][end], record->orphan_ns);
	add(&summary->stays[CLOSE_CALL][end], record->close_call_ns);
	add(&summary->stays[TIME_WAIT][end], record->time_wait_ns);
}

static void print_ends(const struct totals *totals, FILE *out)
{
	fprintf(out, "%-16s %12s\n", "end", "connections");
	for (size_t i = 0; i < TOTALS_ENDS; i++)
		fprintf(out, "%-16s %12" PRIu64 "\n", end_label(ends[i]), totals->ends[ends[i]]);
	fprintf(out, "%-16s %12" PRIu64 "\n", "all", totals->rows);
	fprintf(out, "%-16s %12" PRIu64 "\n", "incomplete", totals->incomplete);
	fprintf(out, "%-16s %12" PRIu64 "\n", "there before", totals->seeded);
}

static void print_losses(const struct tracer_counts *counts, FILE *out)
{
	fprintf(out, "\n%-16s %12" PRIu64 "\n", "followed", counts->followed);
	fprintf(out, "%-16s %12" PRIu64 "\n", "filtered out", counts->filtered);
	fprintf(out, "%-16s %12" PRIu64 "\n", "ring full", counts->ring_full);
	fprintf(out, "%-16s %12" PRIu64 "\n", "table full", counts->map_full);
	fprintf(out, "%-16s %12" PRIu64 "\n", "missed events", counts->missed_events);
	if (counts->stray_resets == CLOSE_TRACE_UNKNOWN)
		fprintf(out, "%-16s %12s\n", "stray resets", "not known");
	else
		fprintf(out, "%-16s %12" PRIu64 "\n", "stray resets", counts->stray_resets);
}

static void print_percentiles(const char *label, const struct histogram *histogram, FILE *out)
{
	static const unsigned int percents[] = { 50, 90, 99 };

	fprintf(out, "%-16s %10" PRIu64, label, histogram->count);
	for (size_t i = 0; i < sizeof(percents) / sizeof(percents[0]); i++)
		fprintf(out, " %12.3f",
			(double)histogram_percentile(histogram, percents[i]) / NS_PER_US);
	fprintf(out, " %12.3f\n", (double)histogram->most / NS_PER_US);
}

/* A line for each power of two from the first that has any to the last. */
static void print_distribution(const struct stay *stay, FILE *out)
{
	static const char bar[] = "****************************************";
	unsigned int first = POWERS, last = 0;
	uint64_t most = 0;

	for (unsigned int i = 0; i < POWERS; i++) {
		if (!stay->powers[i])
			continue;
		first = first < i ? first : i;
		last = i;
		most = most > stay->powers[i] ? most : stay->powers[i];
	}
	for (unsigned int i = first; i <= last; i++) {
		uint64_t from = i ? 1ULL << (i - 1) : 0;
		int width = (int)((double)stay->powers[i] * BAR_WIDTH / (double)most + 0.5);

		fprintf(out, "%12" PRIu64 " -> %-12" PRIu64 ": %-8" PRIu64 "|%-40.*s|\n", from,
			i ? from * 2 - 1 : 0, stay->powers[i], width, bar);
	}
}

static void print_stay(const char *name, const struct stay stays[TOTALS_ENDS], FILE *out)
{
	uint64_t count = 0;

	for (unsigned int end = 0; end < TOTALS_ENDS; end++)
		count += stays[end].ns.count;
	if (!count)
		return;
	fprintf(out, "\n%-16s %10s %12s %12s %12s %12s\n", name, "measured", "p50", "p90", "p99",
		"max");
	for (size_t i = 0; i < TOTALS_ENDS; i++)
		if (stays[ends[i]].ns.count)
			print_percentiles(end_label(ends[i]), &stays[ends[i]].ns, out);
	for (size_t i = 0; i < TOTALS_ENDS; i++) {
		if (!stays[ends[i]].ns.count)
			continue;
		fprintf(out, "%s, %s\n", name, end_label(ends[i]));
		print_distribution(&stays[ends[i]], out);
	}
}

void trace_summary_print(const struct trace_summary *summary, const struct totals *totals,
			 const struct tallies *tallies, const struct tracer_counts *counts,
			 FILE *out)
{
	static const char *const names[STAYS] = {
		[FIN_WAIT_1] = "fin_wait_1_us", [FIN_WAIT_2] = "fin_wait_2_us",
		[ORPHAN] = "orphan_us",		[CLOSE_CALL] = "close_call_us",
		[TIME_WAIT] = "time_wait_us",
	};
	bool partial = counts->ring_full || counts->map_full || counts->missed_events;

	print_ends(totals, out);
	print_losses(counts, out);
	for (unsigned int kind = 0; kind < STAYS; kind++)
		print_stay(names[kind], summary->stays[kind], out);
	fputc('\n', out);
	sentences_print(tallies, partial, out);
}
