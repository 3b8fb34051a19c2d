/* SPDX-License-Identifier: MIT */
/* Metrics as text, in both forms. */
#include "metrics/text.c"

#include <setjmp.h>
#include <stddef.h>
#include <cmocka.h>

static struct metrics_text *text;

static int set_up(void **state)
{
	(void)state;
	text = metrics_text_new();
	return text ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	metrics_text_free(text);
	return 0;
}

static const char *ended(void)
{
	static char copy[1 << 16];
	const char *bytes = "";
	size_t length = 0;

	assert_int_equal(metrics_text_end(text, &bytes, &length), 0);
	assert_true(length < sizeof(copy));
	memcpy(copy, bytes, length);
	copy[length] = '\0';
	return copy;
}

static void write_counters(enum metrics_form form)
{
	const struct metrics_label fin[] = { { "end", "fin" }, { "side", "s" }, { 0 } };
	const struct metrics_label odd[] = { { "comm", "a\"b\\c\nd" }, { 0 } };

	metrics_text_begin(text, form);
	metrics_family(text, METRICS_COUNTER, "x_connections", NULL, "What it is.");
	metrics_value(text, fin, 3);
	metrics_value(text, odd, UINT64_MAX);
	metrics_family(text, METRICS_GAUGE, "x_sent_bytes", "bytes", "Sent.");
	metrics_value(text, NULL, 0);
}

static void counters_as_openmetrics(void **state)
{
	(void)state;
	write_counters(METRICS_OPENMETRICS);
	assert_string_equal(ended(), "# HELP x_connections What it is.\n"
				     "# TYPE x_connections counter\n"
				     "x_connections_total{end=\"fin\",side=\"s\"} 3\n"
				     "x_connections_total{comm=\"a\\\"b\\\\c\\nd\"} "
				     "18446744073709551615\n"
				     "# HELP x_sent_bytes Sent.\n"
				     "# TYPE x_sent_bytes gauge\n"
				     "# UNIT x_sent_bytes bytes\n"
				     "x_sent_bytes 0\n"
				     "# EOF\n");
}

static void counters_as_prometheus_text(void **state)
{
	(void)state;
	write_counters(METRICS_PROMETHEUS);
	assert_string_equal(ended(), "# HELP x_connections_total What it is.\n"
				     "# TYPE x_connections_total counter\n"
				     "x_connections_total{end=\"fin\",side=\"s\"} 3\n"
				     "x_connections_total{comm=\"a\\\"b\\\\c\\nd\"} "
				     "18446744073709551615\n"
				     "# HELP x_sent_bytes Sent.\n"
				     "# TYPE x_sent_bytes gauge\n"
				     "x_sent_bytes 0\n");
}

static void buckets_add_up(void **state)
{
	const struct metrics_label fin[] = { { "end", "fin" }, { 0 } };
	struct metrics_histogram histogram = { 0 };
	const char *written;

	(void)state;
	metrics_observe(&histogram, 0);
	metrics_observe(&histogram, 100 * NS_PER_US); /* a bound is in its bucket */
	metrics_observe(&histogram, 100 * NS_PER_US + 1);
	metrics_observe(&histogram, 60 * NS_PER_S);
	metrics_observe(&histogram, 1000 * NS_PER_S);
	metrics_text_begin(text, METRICS_OPENMETRICS);
	metrics_family(text, METRICS_HISTOGRAM, "x_seconds", "seconds", "How long.");
	metrics_histogram(text, fin, &histogram);
	written = ended();
	assert_non_null(strstr(written, "# UNIT x_seconds seconds\n"
					"x_seconds_bucket{end=\"fin\",le=\"0.0001\"} 2\n"
					"x_seconds_bucket{end=\"fin\",le=\"0.001\"} 3\n"));
	assert_non_null(strstr(written, "le=\"1.0\"} 3\n"));
	assert_non_null(strstr(written, "le=\"2.5\"} 3\n"));
	assert_non_null(strstr(written, "le=\"30.0\"} 3\n"));
	assert_non_null(strstr(written, "le=\"65.0\"} 4\n"));
	assert_non_null(strstr(written, "x_seconds_bucket{end=\"fin\",le=\"+Inf\"} 5\n"
					"x_seconds_count{end=\"fin\"} 5\n"
					"x_seconds_sum{end=\"fin\"} 1060.000200001\n"
					"# EOF\n"));
	metrics_text_begin(text, METRICS_OPENMETRICS);
	metrics_family(text, METRICS_HISTOGRAM, "x_seconds", "seconds", "How long.");
	metrics_histogram(text, NULL, &histogram);
	assert_non_null(strstr(ended(), "x_seconds_bucket{le=\"0.0001\"} 2\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(counters_as_openmetrics, set_up, tear_down),
		cmocka_unit_test_setup_teardown(counters_as_prometheus_text, set_up, tear_down),
		cmocka_unit_test_setup_teardown(buckets_add_up, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
