/* SPDX-License-Identifier: MIT */
/* The daemon's metrics: every counter is in exactly one family, and histograms agree with counters. */
#include "lingerd/families.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <inttypes.h>
#include <stdlib.h>

#include "common/clock.h"

static struct counters counters;
static struct linger_times times;
static struct metrics_histogram rounds;
static struct limits limits;
static char written[1 << 16];

static int set_up(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNTERS_COUNT; i++) /* each its own */
		((uint64_t *)&counters)[i] = 1000 + i;
	memset(&times, 0, sizeof(times));
	memset(&rounds, 0, sizeof(rounds));
	rounds.bounds_ns = &metrics_bounds_of_work;
	limits = (struct limits){ .connections = 5000, .senders = 1100, .reserve = 40 };
	return 0;
}

static const char *write_all(enum metrics_form form, uint64_t nofile)
{
	struct metrics_text *text = metrics_text_new();
	const char *bytes;
	size_t length;

	assert_non_null(text);
	metrics_text_begin(text, form);
	families_write(&(struct families){ .counters = &counters,
					   .times = &times,
					   .rounds = &rounds,
					   .limits = &limits,
					   .nofile = nofile,
					   .processes = 1,
					   .start_s = 1700000000 },
		       text);
	assert_int_equal(metrics_text_end(text, &bytes, &length), 0);
	assert_true(length + 1 < sizeof(written));
	written[0] = '\n'; /* so that every line has one before it */
	memcpy(written + 1, bytes, length);
	written[length + 1] = '\0';
	metrics_text_free(text);
	return written;
}

static void has_once(const char *text, const char *line)
{
	const char *found = strstr(text, line);

	if (!found)
		fail_msg("no line '%s'", line);
	else if (strstr(found + 1, line))
		fail_msg("twice: '%s'", line);
}

static void every_counter_is_in_one_family(void **state)
{
	const char *text = write_all(METRICS_OPENMETRICS, 10000);

	(void)state;
	for (size_t i = 0; i < COUNTERS_COUNT; i++) {
		const struct counter *counter = &counters_table[i];
		uint64_t value = counters_value(&counters, i);
		char line[128];

		if (counter->kind == COUNTER_END)
			snprintf(line, sizeof(line),
				 "\nlingerd_ends_total{cause=\"%s\"} %" PRIu64 "\n", counter->cause,
				 value);
		else if (counter->kind == COUNTER_REFUSAL)
			snprintf(line, sizeof(line),
				 "\nlingerd_refusals_total{cause=\"%s\"} %" PRIu64 "\n",
				 counter->cause, value);
		else
			snprintf(line, sizeof(line), "\nlingerd_%s%s %" PRIu64 "\n", counter->name,
				 counter->kind == COUNTER_GAUGE ? "" : "_total", value);
		has_once(text, line);
	}
	has_once(text, "\n# UNIT lingerd_drained_bytes bytes\n");
	has_once(text, "\nlingerd_start_time_seconds 1700000000\n");
	has_once(text, "\nlingerd_build_info{version=\"" LINGER_VERSION "\"} 1\n");
}

static void the_older_form_says_the_same(void **state)
{
	const char *text = write_all(METRICS_PROMETHEUS, 10000);

	(void)state;
	has_once(text, "\n# TYPE lingerd_ends_total counter\n");
	has_once(text, "\nlingerd_ends_total{cause=\"fin\"} ");
	assert_null(strstr(text, "# UNIT"));
	assert_null(strstr(text, "# EOF"));
}

static void times_are_histograms_in_seconds(void **state)
{
	const char *text;

	(void)state;
	metrics_observe(&times.all, 0);
	metrics_observe(&times.all, 30 * NS_PER_MS);
	metrics_observe(&times.all, 200 * NS_PER_S);
	metrics_observe(&times.fin, 30 * NS_PER_MS);
	metrics_observe(&rounds, 20 * NS_PER_US);
	text = write_all(METRICS_OPENMETRICS, 10000);
	has_once(text, "\n# TYPE lingerd_linger_seconds histogram\n# UNIT lingerd_linger_seconds "
		       "seconds\n");
	has_once(text, "\nlingerd_linger_seconds_bucket{le=\"0.0001\"} 1\n");
	has_once(text, "\nlingerd_linger_seconds_bucket{le=\"0.05\"} 2\n");
	has_once(text, "\nlingerd_linger_seconds_bucket{le=\"130.0\"} 2\n");
	has_once(text, "\nlingerd_linger_seconds_bucket{le=\"+Inf\"} 3\n");
	has_once(text, "\nlingerd_linger_seconds_sum 200.030000000\n");
	has_once(text, "\nlingerd_fin_seconds_count 1\n");
	has_once(text, "\nlingerd_round_seconds_bucket{le=\"1e-05\"} 0\n"); /* bounds of its own */
	has_once(text, "\nlingerd_round_seconds_bucket{le=\"2.5e-05\"} 1\n");
}

static void headroom_is_what_nobody_can_claim(void **state)
{
	(void)state;
	counters.lingers = 300;
	counters.senders = 20;
	has_once(write_all(METRICS_OPENMETRICS, 1000), "\nlingerd_fd_headroom 640\n");
	has_once(written, "\nlingerd_fd_limit 1000\n");
	has_once(write_all(METRICS_OPENMETRICS, 300), "\nlingerd_fd_headroom 0\n");
}

static void bounds_rise(void **state)
{
	(void)state;
	for (int i = 1; i < METRICS_BOUNDS; i++) {
		assert_true(metrics_bounds_of_ends[i] > metrics_bounds_of_ends[i - 1]);
		assert_true(metrics_bounds_of_work[i] > metrics_bounds_of_work[i - 1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(every_counter_is_in_one_family, set_up),
		cmocka_unit_test_setup(the_older_form_says_the_same, set_up),
		cmocka_unit_test_setup(times_are_histograms_in_seconds, set_up),
		cmocka_unit_test_setup(headroom_is_what_nobody_can_claim, set_up),
		cmocka_unit_test(bounds_rise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
