/* SPDX-License-Identifier: MIT */
#include "lingerbench/verdict.h"

#include <stdio.h>
#include <string.h>

#include "common/log.h"

struct figure verdict_us(double us)
{
	struct figure figure;

	if (us < 1000)
		snprintf(figure.text, sizeof(figure.text), "%.0f us", us);
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

/* Of the strategies after the first one, where there were blocks enough to say how sure it is. */
static void print_ratios(const struct csvtable *summary, const char *first, int width)
{
	bool begun = false;
	double low, high, ratio;

	for (size_t row = 0; row < summary->row_count; row++) {
		const char *strategy = csvtable_text(summary, row, "strategy");

		if (!strcmp(strategy, first) ||
		    !csvtable_number(summary, row, "throughput_ratio", &ratio) ||
		    !csvtable_number(summary, row, "throughput_ratio_low", &low) ||
		    !csvtable_number(summary, row, "throughput_ratio_high", &high))
			continue;
		if (!begun)
			printf("\nresp./s, of %s's in the same block: median, and its 95 %% "
			       "interval\n",
			       first);
		begun = true;
		printf("%-*s %-11s %8.3f  (%.3f to %.3f)%s\n", width, strategy,
		       csvtable_text(summary, row, "peer"), ratio, low, high,
		       low <= 1 && high >= 1 ? "  no difference found" : "");
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
		       csvtable_text(summary, row, "strategy"), csvtable_text(summary, row, "peer"),
		       verdict_count(summary, row, "offered_per_s").text,
		       verdict_count(summary, row, "achieved_per_s").text,
		       verdict_count(summary, row, "dropped").text,
		       verdict_time(summary, row, "response_us_p50").text,
		       verdict_time(summary, row, "response_us_p99").text);
	}
}

void verdict_print(const struct csvtable *summary, const struct scenario *scenario)
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
	print_ratios(summary, scenario->strategies[0]->name, width);
	print_arrivals(summary, width);
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

static bool is_run(const struct scenario *scenario, const struct figure_name *name)
{
	bool strategy = false, peer = false;

	for (size_t i = 0; i < scenario->strategy_count; i++)
		strategy |= matches(name->strategy, scenario->strategies[i]->name);
	for (size_t i = 0; i < scenario->peer_count; i++)
		peer |= matches(name->peer, scenario->peers[i]->name);
	return strategy && peer;
}

/* What the tracer alone knows. */
static bool is_traced(const char *column)
{
	return !strcmp(column, "traced") || !strncmp(column, "fin_wait_2_", 11);
}

/*
 * Lists can be narrowed with --set, and the tracer be switched off; what is not run is not judged. A tracer that was
 * to run and could not is something else: what it was to tell is not known, and that is judged.
 */
static bool is_judged(const struct scenario *scenario, const struct expectation *expectation)
{
	const struct figure_name *figure = &expectation->figure, *other = &expectation->other;

	if (!is_run(scenario, figure) || (!scenario->trace && is_traced(figure->column)))
		return false;
	return !expectation->is_relative ||
	       (is_run(scenario, other) && (scenario->trace || !is_traced(other->column)));
}

static const char *or_same(const char *name, const char *same)
{
	return strcmp(name, "*") ? name : same;
}

/* What the figure of this row is compared with. False: not known. */
static bool limit_for(const struct csvtable *summary, size_t row,
		      const struct expectation *expectation, double *ret)
{
	const struct figure_name *other = &expectation->other;
	const char *strategy = or_same(other->strategy, csvtable_text(summary, row, "strategy"));
	const char *peer = or_same(other->peer, csvtable_text(summary, row, "peer"));
	double value;

	*ret = expectation->limit;
	if (!expectation->is_relative)
		return true;
	for (size_t i = 0; i < summary->row_count; i++) {
		if (strcmp(strategy, csvtable_text(summary, i, "strategy")) ||
		    strcmp(peer, csvtable_text(summary, i, "peer")))
			continue;
		if (!csvtable_number(summary, i, other->column, &value))
			return false;
		*ret = expectation->limit * value;
		return true;
	}
	return false;
}

static void say_broken(const struct csvtable *summary, size_t row,
		       const struct expectation *expectation, const double *limit)
{
	const struct figure_name *other = &expectation->other;
	const char *text = csvtable_text(summary, row, expectation->figure.column);
	char relative[160] = "", known[48] = "";

	if (expectation->is_relative)
		snprintf(relative, sizeof(relative), " * %s.%s.%s", other->strategy, other->peer,
			 other->column);
	if (expectation->is_relative && limit)
		snprintf(known, sizeof(known), " = %g", *limit);
	else if (expectation->is_relative)
		snprintf(known, sizeof(known), ", which is not known");
	log_error("expected %s.%s.%s %s %g%s%s, it is %s", csvtable_text(summary, row, "strategy"),
		  csvtable_text(summary, row, "peer"), expectation->figure.column,
		  expectation->operator, expectation->limit, relative, known,
		  *text ? text : "not known");
}

/* Its row has nothing of the tracer's. */
static bool is_untraced(const struct scenario *scenario, const char *strategy)
{
	for (size_t i = 0; i < scenario->strategy_count; i++)
		if (!strcmp(scenario->strategies[i]->name, strategy))
			return scenario->strategies[i]->untraced;
	return false;
}

static bool check_one(const struct csvtable *summary, const struct scenario *scenario,
		      const struct expectation *expectation)
{
	const struct figure_name *figure = &expectation->figure;
	size_t broken = 0, rows = 0;

	for (size_t row = 0; row < summary->row_count; row++) {
		double value, limit;
		bool known;

		if (!matches(figure->strategy, csvtable_text(summary, row, "strategy")) ||
		    !matches(figure->peer, csvtable_text(summary, row, "peer")))
			continue;
		rows++;
		if (is_traced(figure->column) &&
		    is_untraced(scenario, csvtable_text(summary, row, "strategy")))
			continue;
		known = limit_for(summary, row, expectation, &limit);
		if (known && csvtable_number(summary, row, figure->column, &value) &&
		    holds(value, expectation->operator, limit))
			continue;
		broken++;
		say_broken(summary, row, expectation, known ? &limit : NULL);
	}
	if (!rows)
		log_error("expected %s.%s.%s %s %g, but all trials of it are void",
			  figure->strategy, figure->peer, figure->column, expectation->operator,
			  expectation->limit);
	return rows && !broken;
}

struct judgement verdict_check(const struct csvtable *summary, const struct scenario *scenario)
{
	struct judgement judgement = { 0 };

	for (size_t i = 0; i < scenario->expectation_count; i++) {
		if (!is_judged(scenario, &scenario->expectations[i]))
			continue;
		judgement.judged++;
		judgement.broken += !check_one(summary, scenario, &scenario->expectations[i]);
	}
	return judgement;
}
