/* SPDX-License-Identifier: MIT */
#include "lingerbench/verdict.h"

#include <stdio.h>
#include <string.h>

#include "common/log.h"

struct figure verdict_time(const struct csvtable *summary, size_t row, const char *column)
{
	struct figure figure = { "-" };
	double us;

	if (!csvtable_number(summary, row, column, &us))
		return figure;
	if (us < 1000)
		snprintf(figure.text, sizeof(figure.text), "%.0f us", us);
	else if (us < 1e6)
		snprintf(figure.text, sizeof(figure.text), us < 1e4 ? "%.2f ms" : "%.0f ms",
			 us / 1e3);
	else
		snprintf(figure.text, sizeof(figure.text), "%.2f s", us / 1e6);
	return figure;
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

static int strategy_width(const struct csvtable *summary)
{
	size_t width = 16;

	for (size_t row = 0; row < summary->row_count; row++) {
		size_t length = strlen(csvtable_text(summary, row, "strategy"));

		width = length > width ? length : width;
	}
	return (int)width;
}

static void print_row(const struct csvtable *summary, size_t row, int width)
{
	printf(ROW_FORMAT, width, csvtable_text(summary, row, "strategy"),
	       csvtable_text(summary, row, "peer"), verdict_count(summary, row, "connections").text,
	       verdict_count(summary, row, "complete").text,
	       verdict_count(summary, row, "truncated").text,
	       verdict_time(summary, row, "worker_hold_us_p50").text,
	       verdict_time(summary, row, "worker_hold_us_p99").text,
	       verdict_time(summary, row, "fin_wait_2_us_p50").text,
	       verdict_count(summary, row, "throughput_per_s").text,
	       verdict_time(summary, row, "cpu_us_per_connection").text);
}

void verdict_print(const struct csvtable *summary)
{
	int width = strategy_width(summary);
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
}

static bool holds(double value, const char *operator, double limit)
{
	if (!strcmp(operator, "<"))
		return value < limit;
	if (!strcmp(operator, "<="))
		return value <= limit;
	if (!strcmp(operator, ">"))
		return value > limit;
	if (!strcmp(operator, ">="))
		return value >= limit;
	return value == limit;
}

static bool matches(const char *wanted, const char *name)
{
	return !strcmp(wanted, "*") || !strcmp(wanted, name);
}

/* Lists can be narrowed with --set; what is not run is not judged. */
static bool is_run(const struct scenario *scenario, const struct expectation *expectation)
{
	bool strategy = false, peer = false;

	for (size_t i = 0; i < scenario->strategy_count; i++)
		strategy |= matches(expectation->strategy, scenario->strategies[i]->name);
	for (size_t i = 0; i < scenario->peer_count; i++)
		peer |= matches(expectation->peer, scenario->peers[i]->name);
	return strategy && peer;
}

static bool check_one(const struct csvtable *summary, const struct expectation *expectation)
{
	size_t broken = 0;

	for (size_t row = 0; row < summary->row_count; row++) {
		const char *strategy = csvtable_text(summary, row, "strategy");
		const char *peer = csvtable_text(summary, row, "peer");
		const char *text = csvtable_text(summary, row, expectation->column);
		double value;

		if (!matches(expectation->strategy, strategy) || !matches(expectation->peer, peer))
			continue;
		if (csvtable_number(summary, row, expectation->column, &value) &&
		    holds(value, expectation->operator, expectation->limit))
			continue;
		broken++;
		log_error("expected %s.%s.%s %s %g, it is %s", strategy, peer, expectation->column,
			  expectation->operator, expectation->limit, *text ? text : "not known");
	}
	return !broken;
}

struct judgement verdict_check(const struct csvtable *summary, const struct scenario *scenario)
{
	struct judgement judgement = { 0 };

	for (size_t i = 0; i < scenario->expectation_count; i++) {
		if (!is_run(scenario, &scenario->expectations[i]))
			continue;
		judgement.judged++;
		judgement.broken += !check_one(summary, &scenario->expectations[i]);
	}
	return judgement;
}
