/* SPDX-License-Identifier: MIT */
#include "lingertrace/trace_summary.h"

#include <inttypes.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/histogram.h"
#include "tracer/close_end.h"

struct trace_summary {
	uint64_t ends[CLOSE_END_OPEN + 1];
	struct histogram fin_wait_1;
	struct histogram fin_wait_2;
	struct histogram close_call;
};

static void add(struct histogram *histogram, uint64_t ns)
{
	if (ns != CLOSE_TRACE_UNKNOWN)
		histogram_add(histogram, ns);
}

struct trace_summary *trace_summary_new(void)
{
	return calloc(1, sizeof(struct trace_summary));
}

void trace_summary_add(struct trace_summary *summary, const struct close_record *record)
{
	if (record->end <= CLOSE_END_OPEN)
		summary->ends[record->end]++;
	add(&summary->fin_wait_1, record->fin_wait_1_ns);
	add(&summary->fin_wait_2, record->fin_wait_2_ns);
	add(&summary->close_call, record->close_call_ns);
}

static void print_histogram(FILE *out, const char *name, const struct histogram *histogram)
{
	static const unsigned int percents[] = { 50, 90, 99 };

	fprintf(out, "%-16s %12" PRIu64, name, histogram->count);
	if (histogram->count) {
		for (size_t i = 0; i < sizeof(percents) / sizeof(percents[0]); i++)
			fprintf(out, " %12.3f",
				(double)histogram_percentile(histogram, percents[i]) / NS_PER_US);
		fprintf(out, " %12.3f", (double)histogram->most / NS_PER_US);
	}
	fputc('\n', out);
}

void trace_summary_print(const struct trace_summary *summary, FILE *out)
{
	uint64_t total = 0;

	fprintf(out, "%-16s %12s\n", "end", "connections");
	for (unsigned int end = CLOSE_END_FIN; end <= CLOSE_END_OPEN; end++)
		fprintf(out, "%-16s %12" PRIu64 "\n", close_end_name(end), summary->ends[end]);
	fprintf(out, "%-16s %12" PRIu64 "\n", "not known", summary->ends[CLOSE_END_UNKNOWN]);
	for (unsigned int end = 0; end <= CLOSE_END_OPEN; end++)
		total += summary->ends[end];
	fprintf(out, "%-16s %12" PRIu64 "\n\n", "all", total);

	fprintf(out, "%-16s %12s %12s %12s %12s %12s\n", "", "measured", "p50", "p90", "p99",
		"max");
	print_histogram(out, "fin_wait_1_us", &summary->fin_wait_1);
	print_histogram(out, "fin_wait_2_us", &summary->fin_wait_2);
	print_histogram(out, "close_call_us", &summary->close_call);
}

void trace_summary_free(struct trace_summary *summary)
{
	free(summary);
}
