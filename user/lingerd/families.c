/* SPDX-License-Identifier: MIT */
#include "lingerd/families.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static void write_number(struct metrics_text *text, enum metrics_type type, const char *name,
			 const char *unit, const char *help, uint64_t value)
{
	metrics_family(text, type, name, unit, help);
	metrics_value(text, NULL, value);
}

static void write_causes(const struct counters *counters, enum counter_kind kind, const char *name,
			 const char *help, struct metrics_text *text)
{
	metrics_family(text, METRICS_COUNTER, name, NULL, help);
	for (size_t i = 0; i < COUNTERS_COUNT; i++) {
		const struct metrics_label cause[] = { { "cause", counters_table[i].cause },
						       { 0 } };

		if (counters_table[i].kind == kind)
			metrics_value(text, cause, counters_value(counters, i));
	}
}

static bool ends_in(const char *name, const char *end)
{
	size_t length = strlen(name), end_length = strlen(end);

	return length >= end_length && !strcmp(name + length - end_length, end);
}

static void write_counters(const struct counters *counters, struct metrics_text *text)
{
	for (size_t i = 0; i < COUNTERS_COUNT; i++) {
		const struct counter *counter = &counters_table[i];
		bool is_gauge = counter->kind == COUNTER_GAUGE;
		char name[64];

		if (!is_gauge && counter->kind != COUNTER_COUNT)
			continue;
		snprintf(name, sizeof(name), "lingerd_%s", counter->name);
		write_number(text, is_gauge ? METRICS_GAUGE : METRICS_COUNTER, name,
			     ends_in(name, "_bytes") ? "bytes" : NULL, counter->meaning,
			     counters_value(counters, i));
	}
	write_causes(counters, COUNTER_END, "lingerd_ends",
		     "lingers that have ended, by their cause", text);
	write_causes(counters, COUNTER_REFUSAL, "lingerd_refusals",
		     "messages and processes that were refused, by their cause", text);
}

static void write_times(struct metrics_text *text, const char *name, const char *help,
			const struct metrics_histogram *histogram)
{
	metrics_family(text, METRICS_HISTOGRAM, name, "seconds", help);
	metrics_histogram(text, NULL, histogram);
}

static uint64_t limit(const struct families *families)
{
	return families->nofile * families->processes;
}

static uint64_t headroom(const struct families *families)
{
	uint64_t used = families->counters->lingers + families->counters->senders +
			(uint64_t)families->limits->reserve * families->processes;

	return used < limit(families) ? limit(families) - used : 0;
}

static void write_process(const struct families *families, struct metrics_text *text)
{
	static const struct metrics_label about[] = { { "version", LINGER_VERSION }, { 0 } };

	metrics_family(text, METRICS_GAUGE, "lingerd_build_info", NULL,
		       "always 1; the labels say what runs");
	metrics_value(text, about, 1);
	write_number(text, METRICS_GAUGE, "lingerd_start_time_seconds", "seconds",
		     "when the process started, since 1970", families->start_s);
	write_number(text, METRICS_GAUGE, "lingerd_fd_limit", NULL,
		     "descriptors that the process may have open; with workers, all of them "
		     "together",
		     limit(families));
	write_number(text, METRICS_GAUGE, "lingerd_fd_headroom", NULL,
		     "of them, those that are neither in use nor set aside", headroom(families));
}

void families_write(const struct families *families, struct metrics_text *text)
{
	write_process(families, text);
	write_counters(families->counters, text);
	write_times(text, "lingerd_linger_seconds",
		    "how long lingers took, from the handoff to their end, whatever the cause",
		    &families->times->all);
	write_times(text, "lingerd_fin_seconds",
		    "of those that ended well: how long the FIN of the peer took",
		    &families->times->fin);
	write_times(text, "lingerd_round_seconds",
		    "how long the loop took to work through its events, rests left out",
		    families->rounds);
}
