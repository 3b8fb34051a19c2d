/* SPDX-License-Identifier: MIT */
/* The counters' text, from the daemon to what lingerctl prints. */
#include "lingerctl/status.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdlib.h>

static void the_largest_counters_fit_and_come_back(void **state)
{
	struct counters counters;
	char text[COUNTERS_TEXT_MAX];
	char *rest = text;
	const char *name;
	uint64_t value;
	size_t names = 0;
	size_t length;

	(void)state;
	memset(&counters, 0xff, sizeof(counters));
	length = counters_format(&counters, text);
	assert_int_equal(length, strlen(text));
	assert_true(length < COUNTERS_TEXT_MAX - 1);
	while (next_counter(&rest, &name, &value) > 0) {
		assert_true(value == UINT64_MAX);
		assert_true(strlen(name) <= 32);
		assert_non_null(counters_meaning(name));
		names++;
	}
	assert_int_equal(names, sizeof(counters) / sizeof(uint64_t));
}

static void each_value_stands_behind_its_name(void **state)
{
	struct counters counters = { .handoffs = 12, .ended_fin = 34, .senders_evicted = 56 };
	char text[COUNTERS_TEXT_MAX];

	(void)state;
	counters_format(&counters, text);
	assert_non_null(strstr(text, "\nhandoffs 12\n"));
	assert_non_null(strstr(text, "\nended_fin 34\n"));
	assert_non_null(strstr(text, "\nsenders_evicted 56\n"));
	assert_null(counters_meaning("handoff"));
}

static void what_came_since_is_told_but_for_gauges(void **state)
{
	const struct counters before = { .lingers = 7, .handoffs = 10, .refused_version = 1 };
	const struct counters now = {
		.lingers = 3, .handoffs = 15, .ended_fin = 4, .ended_idle = 5, .refused_version = 3
	};
	struct counters since;

	(void)state;
	counters_since(&now, &before, &since);
	assert_int_equal(since.lingers, 3);
	assert_int_equal(since.handoffs, 5);
	assert_int_equal(counters_sum(&since, COUNTER_END), 9);
	assert_int_equal(counters_sum(&since, COUNTER_REFUSAL), 2);
	counters_since(&before, &now, &since); /* another daemon, which began anew */
	assert_memory_equal(&since, &before, sizeof(since));
}

/* A takeover failed: it is the same daemon still. */
static void what_was_passed_on_may_come_back(void **state)
{
	const struct counters before = { .handoffs = 100, .ended_fin = 60, .passed_on = 40 };
	const struct counters now = { .handoffs = 103, .ended_fin = 62, .passed_on = 8 };
	struct counters since;

	(void)state;
	counters_since(&now, &before, &since);
	assert_int_equal(since.handoffs, 3);
	assert_int_equal(since.ended_fin, 2);
	assert_int_equal(since.passed_on, 0);
}

static void a_counter_is_set_by_its_name(void **state)
{
	struct counters counters = { 0 };

	(void)state;
	counters_set(&counters, "ended_fin", 5);
	counters_set(&counters, "from_the_future", 6);
	assert_int_equal(counters.ended_fin, 5);
	counters.ended_fin = 0;
	assert_memory_equal(&counters, &(struct counters){ 0 }, sizeof(counters));
}

static int print(int (*printer)(FILE *, char *), const char *text, char **ret)
{
	char copy[256];
	size_t size;
	FILE *out = open_memstream(ret, &size);
	int error;

	assert_non_null(out);
	strcpy(copy, text);
	error = printer(out, copy);
	fclose(out);
	return error;
}

static void json_has_every_counter_as_a_number(void **state)
{
	json_t *object;
	char *out;

	(void)state;
	assert_int_equal(print(status_print_json, "handoffs 5\nfrom_the_future 6\n", &out), 0);
	object = json_loads(out, 0, NULL);
	assert_non_null(object);
	assert_int_equal(json_object_size(object), 2);
	assert_int_equal(json_integer_value(json_object_get(object, "handoffs")), 5);
	assert_int_equal(json_integer_value(json_object_get(object, "from_the_future")), 6);
	json_decref(object);
	free(out);
}

static void the_table_explains_what_it_knows(void **state)
{
	char *out;

	(void)state;
	assert_int_equal(print(status_print_table, "handoffs 5\nfrom_the_future 6\n", &out), 0);
	assert_non_null(strstr(out, " 5  connections taken over\n"));
	assert_non_null(strstr(out, "from_the_future"));
	free(out);
}

static void an_answer_that_is_none_is_refused(void **state)
{
	static const char *const none[] = { "HTTP/1.1 400 Bad Request\n", "handoffs\n",
					    "handoffs -1\n", " 5\n", "a 1\n\nb 2\n" };

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		char *out;

		assert_int_equal(print(status_print_json, none[i], &out), -EPROTO);
		assert_string_equal(out, "");
		free(out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_largest_counters_fit_and_come_back),
		cmocka_unit_test(each_value_stands_behind_its_name),
		cmocka_unit_test(what_came_since_is_told_but_for_gauges),
		cmocka_unit_test(what_was_passed_on_may_come_back),
		cmocka_unit_test(a_counter_is_set_by_its_name),
		cmocka_unit_test(json_has_every_counter_as_a_number),
		cmocka_unit_test(the_table_explains_what_it_knows),
		cmocka_unit_test(an_answer_that_is_none_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
