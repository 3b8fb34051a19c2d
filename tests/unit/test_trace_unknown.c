/* SPDX-License-Identifier: MIT */
/* What this kernel cannot tell is empty in each output of a trace, and no number. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lingertrace/json_end.h"
#include "lingertrace/trace_metrics.h"
#include "lingertrace/trace_summary.h"
#include "tests/support/process.h"

static const struct totals no_totals;
static const struct tallies no_tallies;
static const struct tracer_counts known = { .stray_resets = 7 };
static const struct tracer_counts unknown = { .stray_resets = CLOSE_TRACE_UNKNOWN };

static void assert_in_summary(const struct tracer_counts *counts, const char *expected)
{
	struct trace_summary *summary = trace_summary_new();
	size_t length;
	char *text;
	FILE *out = open_memstream(&text, &length);

	trace_summary_print(summary, &no_totals, &no_tallies, counts, out);
	assert_int_equal(fclose(out), 0);
	assert_non_null(strstr(text, expected));
	free(text);
	trace_summary_free(summary);
}

static void in_the_summary(void **state)
{
	(void)state;
	assert_in_summary(&known, "stray resets                7\n");
	assert_in_summary(&unknown, "stray resets        not known\n");
}

static void assert_in_json(const struct tracer_counts *counts, const char *expected)
{
	char folder[256], path[300];
	struct rowfile *file;

	make_folder(folder);
	snprintf(path, sizeof(path), "%s/json", folder);
	assert_int_equal(rowfile_create(&file, path), 0);
	assert_int_equal(json_end_write(file, &no_totals, &no_tallies, counts), 0);
	assert_int_equal(rowfile_close(file), 0);
	assert_true(file_contains(path, expected));
	remove_folder(folder);
}

static void in_json(void **state)
{
	(void)state;
	assert_in_json(&known, "\"stray_resets\":7,");
	assert_in_json(&unknown, "\"stray_resets\":null,");
}

static bool metrics_have_strays(const struct tracer_counts *counts, const char *expected)
{
	static const struct trace_metrics nothing;
	struct metrics_text *text = metrics_text_new();
	const char *bytes;
	size_t length;
	bool found;

	metrics_text_begin(text, METRICS_OPENMETRICS);
	trace_metrics_write(&nothing, &no_totals, &no_tallies, counts, "fentry", text);
	assert_int_equal(metrics_text_end(text, &bytes, &length), 0);
	found = memmem(bytes, length, expected, strlen(expected));
	metrics_text_free(text);
	return found;
}

static void in_metrics(void **state)
{
	(void)state;
	assert_true(metrics_have_strays(&known, "lingertrace_stray_resets_total 7\n"));
	assert_false(metrics_have_strays(&unknown, "stray_resets"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_the_summary),
		cmocka_unit_test(in_json),
		cmocka_unit_test(in_metrics),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
