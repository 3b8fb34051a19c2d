/* SPDX-License-Identifier: MIT */
#include "lingerbench/verdict.h"

#include <stdio.h>
#include <string.h>

struct figure verdict_us(double us)
{
	struct figure figure;

	if (us < 1000)
		snprintf(figure.text, sizeof(figure.text), us < 9.95 ? "%.1f us" : "%.0f us", us);
	else if (us < 1e6)
		snprintf(figure.text, sizeof(figure.text), us < 1e4 ? "%.2f ms" : "%.0f ms",
			 us / 1e3);
	else
		snprintf(figure.text, sizeof(figure.text), "%.2f s", us / 1e6);
	return figure;
}

struct figure verdict_time(const struct csvtable *summary, size_t row, const char *column)
{
	double us;

	if (!csvtable_number(summary, row, column, &us))
		return (struct figure){ "-" };
	return verdict_us(us);
}

struct figure verdict_count(const struct csvtable *summary, size_t row, const char *column)
{
	struct figure figure = { "-" };
	double value;

	if (csvtable_number(summary, row, column, &value))
		snprintf(figure.text, sizeof(figure.text), "%.0f", value);
	return figure;
}

#define ROW_FORMAT "%-*s %-11s %5s %8s %9s %9s %9s %10s %8s %9s\n"

static bool has_several_servers(const struct csvtable *summary)
{
	for (size_t row = 1; row < summary->row_count; row++)
		if (strcmp(csvtable_text(summary, 0, "server"),
			   csvtable_text(summary, row, "server")) != 0)
			return true;
	return false;
}

struct row_label verdict_label(const struct csvtable *summary, size_t row)
{
	bool several = has_several_servers(summary);
	struct row_label label;

	snprintf(label.text, sizeof(label.text), "%s%s%s",
		 several ? csvtable_text(summary, row, "server") : "", several ? "/" : "",
		 csvtable_text(summary, row, "strategy"));
	return label;
}

static bool is_of(const struct csvtable *summary, size_t row, const struct arm *arm)
{
	return !strcmp(csvtable_text(summary, row, "server"), program_label(arm->program)) &&
	       !strcmp(csvtable_text(summary, row, "strategy"), arm->strategy.name);
}

static int label_width(const struct csvtable *summary)
{
	size_t width = 16;

	for (size_t row = 0; row < summary->row_count; row++) {
		size_t length = strlen(verdict_label(summary, row).text);

		width = length > width ? length : width;
	}
	return (int)width;
}

static void print_row(const struct csvtable *summary, size_t row, int width)
{
	printf(ROW_FORMAT, width, verdict_label(summary, row).text,
	       csvtable_text(summary, row, "peer"), verdict_count(summary, row, "connections").text,
	       verdict_count(summary, row, "complete").text,
	       verdict_count(summary, row, "truncated").text,
	       verdict_time(summary, row, "worker_hold_us_p50").text,
	       verdict_time(summary, row, "worker_hold_us_p99").text,
	       verdict_time(summary, row, "fin_wait_2_us_p50").text,
	       verdict_count(summary, row, "throughput_per_s").text,
	       verdict_time(summary, row, "cpu_us_per_connection").text);
}

/* Of the arms after the first one, where there were blocks enough to say how sure it is. */
static void print_ratios(const struct csvtable *summary, const struct arm *first, int width)
{
	bool begun = false;
	double low, high, ratio;

	for (size_t row = 0; row < summary->row_count; row++) {
		if (is_of(summary, row, first) ||
		    !csvtable_number(summary, row, "throughput_ratio", &ratio) ||
		    !csvtable_number(summary, row, "throughput_ratio_low", &low) ||
		    !csvtable_number(summary, row, "throughput_ratio_high", &high))
			continue;
		if (!begun)
			printf("\nresp./s, of %s's in the same block: median, and its 95 %% "
			       "interval\n",
			       first->label);
		begun = true;
		printf("%-*s %-11s %8.3f  (%.3f to %.3f)%s\n", width,
		       verdict_label(summary, row).text, csvtable_text(summary, row, "peer"), ratio,
		       low, high, low <= 1 && high >= 1 ? "  no difference found" : "");
	}
}

/* Of an open loop. */
static void print_arrivals(const struct csvtable *summary, int width)
{
	bool begun = false;
	double dropped;

	for (size_t row = 0; row < summary->row_count; row++) {
		if (!csvtable_number(summary, row, "dropped", &dropped))
			continue;
		if (!begun)
			printf("\n%-*s %-11s %9s %9s %9s %10s %10s\n", width, "arrivals", "",
			       "offered/s", "begun/s", "dropped", "resp. p50", "resp. p99");
		begun = true;
		printf("%-*s %-11s %9s %9s %9s %10s %10s\n", width,
		       verdict_label(summary, row).text, csvtable_text(summary, row, "peer"),
		       verdict_count(summary, row, "offered_per_s").text,
		       verdict_count(summary, row, "achieved_per_s").text,
		       verdict_count(summary, row, "dropped").text,
		       verdict_time(summary, row, "response_us_p50").text,
		       verdict_time(summary, row, "response_us_p99").text);
	}
}

void verdict_print(const struct csvtable *summary, const struct scenario *scenario)
{
	int width = label_width(summary);
	const char *peer = "";

	printf(ROW_FORMAT, width, "", "", "", "", "", "worker", "hold", "FIN_WAIT_2", "whole",
	       "CPU per");
	printf(ROW_FORMAT, width, "strategy", "peer", "conns", "complete", "truncated", "p50",
	       "p99", "p50", "resp./s", "conn.");
	for (size_t row = 0; row < summary->row_count; row++) {
		if (strcmp(peer, csvtable_text(summary, row, "peer"))) {
			peer = csvtable_text(summary, row, "peer");
			puts("");
		}
		print_row(summary, row, width);
	}
	print_ratios(summary, &scenario->arms[0], width);
	print_arrivals(summary, width);
}
