/* SPDX-License-Identifier: MIT */
/* lingerctl top: rates, columns and JSON of an interval that is known. */
#include "lingerctl/live_text.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "lingerctl/status.h"

enum { COLUMNS = 80, LINES = 24 };

static struct interval known;
static char *out;
static size_t size;

static int set_up(void **state)
{
	(void)state;
	known = (struct interval){
		.now = { .lingers = 50,
			 .max_connections = 200,
			 .handoffs = 1000,
			 .ended_fin = 900 },
		.since = { .handoffs = 30,
			   .ended_fin = 10,
			   .ended_idle = 5,
			   .ended_shed = 3,
			   .refused_version = 1,
			   .drained_bytes = 4000 },
		.passed_ns = 2 * NS_PER_S,
	};
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	free(out);
	out = NULL;
	return 0;
}

static void expect_to_fit(void)
{
	unsigned int lines = 0;

	for (const char *line = out; *line; lines++) {
		size_t length = strcspn(line, "\n");

		assert_true(length <= COLUMNS);
		line += length + (line[length] == '\n');
	}
	assert_true(lines < LINES);
}

static void the_table_has_rates_and_sums(void **state)
{
	FILE *memory = open_memstream(&out, &size);

	(void)state;
	live_print_table(memory, &known, "/run/s");
	fclose(memory);
	assert_non_null(strstr(out, "the last 2.0 s of /run/s\n50 linger of 200 (25 %)"));
	assert_non_null(
		strstr(out, "\nhandoffs                           15.0                 1000\n"));
	assert_non_null(
		strstr(out, "\n  fin                               5.0                  900\n"));
	assert_non_null(strstr(out, "\nended                               9.0"));
	assert_non_null(strstr(out, "\nrefused                             0.5"));
	assert_non_null(strstr(out, "\ndrained                          2.0 kB"));
	expect_to_fit();
}

static void a_line_stands_under_its_head(void **state)
{
	FILE *memory = open_memstream(&out, &size);
	char *columns[12], *rest;
	size_t count = 0;

	(void)state;
	live_print_head(memory);
	live_print_line(memory, &known);
	fclose(memory);
	expect_to_fit();
	rest = strchr(out, '\n');
	assert_int_equal(strlen(rest), (size_t)(rest - out) + 2); /* as long as its head */
	for (char *word = strtok(rest, " \n"); word; word = strtok(NULL, " \n"))
		columns[count++] = word;
	assert_int_equal(count, 11);
	assert_string_equal(columns[1], "50");
	assert_string_equal(columns[2], "15.0");
	assert_string_equal(columns[3], "5.0");
	assert_string_equal(columns[5], "2.5");
	assert_string_equal(columns[7], "1.5"); /* ends of other causes */
	assert_string_equal(columns[8], "0.5");
	assert_string_equal(columns[10], "kB");
}

static void the_largest_counters_fit(void **state)
{
	FILE *memory = open_memstream(&out, &size);

	(void)state;
	memset(&known.now, 0xff, sizeof(known.now));
	live_print_table(memory, &known, "/run/s");
	fclose(memory);
	assert_non_null(
		strstr(out, "\nhandoffs                           15.0 18446744073709551615\n"));
}

static void json_has_what_is_now_and_what_came(void **state)
{
	FILE *memory = open_memstream(&out, &size);
	json_t *all, *rates;

	(void)state;
	assert_int_equal(live_print_json(memory, &known), 0);
	fclose(memory);
	assert_int_equal(strcspn(out, "\n"), strlen(out) - 1); /* one line */
	all = json_loads(out, 0, NULL);
	assert_non_null(all);
	rates = json_object_get(all, "per_second");
	assert_int_equal(json_object_size(json_object_get(all, "now")), COUNTERS_COUNT);
	assert_int_equal(json_integer_value(
				 json_object_get(json_object_get(all, "now"), "lingers")),
			 50);
	assert_true(json_real_value(json_object_get(rates, "handoffs")) == 15.0);
	assert_null(json_object_get(rates, "lingers"));
	assert_true(json_real_value(json_object_get(all, "seconds")) == 2.0);
	json_decref(all);
}

static void an_answer_is_read_whole_or_not_at_all(void **state)
{
	struct counters counters = { .ended_reset = 7 };
	char good[] = "handoffs 5\nfrom_the_future 6\nended_fin 4\n";
	char bad[] = "handoffs 5\nHTTP/1.1 400 Bad Request\n";

	(void)state;
	assert_int_equal(status_read(bad, &counters), -EPROTO);
	assert_int_equal(counters.ended_reset, 7);
	assert_int_equal(status_read(good, &counters), 0);
	assert_int_equal(counters.handoffs, 5);
	assert_int_equal(counters.ended_fin, 4);
	assert_int_equal(counters.ended_reset, 0);
}

#define LIVE_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVE_TEST(the_table_has_rates_and_sums),
		LIVE_TEST(a_line_stands_under_its_head),
		LIVE_TEST(the_largest_counters_fit),
		LIVE_TEST(json_has_what_is_now_and_what_came),
		LIVE_TEST(an_answer_is_read_whole_or_not_at_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
