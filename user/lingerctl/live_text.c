/* SPDX-License-Identifier: MIT */
#include "lingerctl/live_text.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdbool.h>

#include "common/clock.h"
#include "common/units.h"

enum { CLOCK_SIZE = 16 };

static double per_second(const struct interval *interval, uint64_t since)
{
	return (double)since * NS_PER_S / (double)interval->passed_ns;
}

static const char *rate(char text[UNITS_SIZE], const struct interval *interval, uint64_t since)
{
	return units_rate(text, per_second(interval, since));
}

static const char *clock_of(char text[CLOCK_SIZE], const struct interval *interval)
{
	struct tm local;

	localtime_r(&interval->at, &local);
	strftime(text, CLOCK_SIZE, "%H:%M:%S", &local);
	return text;
}

static void print_row(FILE *out, const struct interval *interval, const char *name, uint64_t since,
		      uint64_t total)
{
	char cell[UNITS_SIZE];

	fprintf(out, "%-28s %10s %20" PRIu64 "\n", name, rate(cell, interval, since), total);
}

static void print_causes(FILE *out, const struct interval *interval)
{
	for (size_t i = 0; i < COUNTERS_COUNT; i++) {
		char name[40];

		snprintf(name, sizeof(name), "  %s", counters_table[i].cause);
		if (counters_table[i].kind == COUNTER_END)
			print_row(out, interval, name, counters_value(&interval->since, i),
				  counters_value(&interval->now, i));
	}
}

static void print_now(FILE *out, const struct counters *now)
{
	uint64_t most = now->max_connections ? now->max_connections : 1;

	fprintf(out,
		"%" PRIu64 " linger of %" PRIu64 " (%" PRIu64 " %%), %" PRIu64
		" at the peak; %" PRIu64 " connected to hand over\n\n",
		now->lingers, now->max_connections, now->lingers * 100 / most, now->lingers_peak,
		now->senders);
}

void live_print_table(FILE *out, const struct interval *interval, const char *socket_path)
{
	const struct counters *now = &interval->now, *since = &interval->since;
	char clock[CLOCK_SIZE], bytes[UNITS_SIZE], total[UNITS_SIZE];

	fprintf(out, "%s, the last %.1f s of %s\n", clock_of(clock, interval),
		(double)interval->passed_ns / NS_PER_S, socket_path);
	print_now(out, now);
	fprintf(out, "%-28s %10s %20s\n", "", "a second", "since the start");
	print_row(out, interval, "handoffs", since->handoffs, now->handoffs);
	print_row(out, interval, "ended", counters_sum(since, COUNTER_END),
		  counters_sum(now, COUNTER_END));
	print_causes(out, interval);
	print_row(out, interval, "refused", counters_sum(since, COUNTER_REFUSAL),
		  counters_sum(now, COUNTER_REFUSAL));
	print_row(out, interval, "waits (full, or a quota)",
		  since->intake_pauses + since->user_pauses, now->intake_pauses + now->user_pauses);
	fprintf(out, "%-28s %10s %20s\n", "drained",
		units_bytes(bytes, (uint64_t)per_second(interval, since->drained_bytes)),
		units_bytes(total, now->drained_bytes));
}

void live_print_head(FILE *out)
{
	fprintf(out, "%-8s %8s %7s %6s %6s %6s %6s %6s %6s %9s\n", "time", "linger", "hand/s",
		"fin/s", "rst/s", "idle/s", "totl/s", "othr/s", "ref/s", "drained/s");
}

void live_print_line(FILE *out, const struct interval *interval)
{
	const struct counters *since = &interval->since;
	uint64_t others = counters_sum(since, COUNTER_END) - since->ended_fin - since->ended_reset -
			  since->ended_idle - since->ended_total;
	uint64_t bytes = (uint64_t)per_second(interval, since->drained_bytes);
	char clock[CLOCK_SIZE], cells[8][UNITS_SIZE];

	fprintf(out, "%-8s %8" PRIu64 " %7s %6s %6s %6s %6s %6s %6s %9s\n",
		clock_of(clock, interval), interval->now.lingers,
		rate(cells[0], interval, since->handoffs),
		rate(cells[1], interval, since->ended_fin),
		rate(cells[2], interval, since->ended_reset),
		rate(cells[3], interval, since->ended_idle),
		rate(cells[4], interval, since->ended_total), rate(cells[5], interval, others),
		rate(cells[6], interval, counters_sum(since, COUNTER_REFUSAL)),
		units_bytes(cells[7], bytes));
}

int live_print_json(FILE *out, const struct interval *interval)
{
	json_t *now = json_object(), *rates = json_object();
	json_t *all =
		json_pack("{s:I, s:f, s:O, s:O}", "time", (json_int_t)interval->at, "seconds",
			  (double)interval->passed_ns / NS_PER_S, "now", now, "per_second", rates);
	bool failed = !all;

	for (size_t i = 0; i < COUNTERS_COUNT && !failed; i++) {
		const char *name = counters_table[i].name;
		json_int_t value = (json_int_t)counters_value(&interval->now, i);
		double speed = per_second(interval, counters_value(&interval->since, i));

		failed = json_object_set_new(now, name, json_integer(value)) ||
			 (counters_table[i].kind != COUNTER_GAUGE &&
			  json_object_set_new(rates, name, json_real(speed)));
	}
	if (!failed) {
		json_dumpf(all, out, JSON_COMPACT | JSON_REAL_PRECISION(6));
		fputc('\n', out);
	}
	json_decref(all);
	json_decref(now);
	json_decref(rates);
	return failed ? -ENOMEM : 0;
}
