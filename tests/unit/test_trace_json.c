/* SPDX-License-Identifier: MIT */
/* Lines of JSON: the columns of the CSV, null for each thing not known. */
#include "tracer/trace_json.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <jansson.h>

#include "tests/unit/crafted.h"

static json_t *written(const struct close_record *record)
{
	struct rowfile *file = NULL;
	const char *line;
	json_t *object;

	make_crafted_file();
	assert_int_equal(rowfile_create(&file, crafted_path), 0);
	assert_int_equal(trace_json_row(file, record), 0);
	assert_int_equal(rowfile_close(file), 0);
	line = take_crafted_file();
	assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
	object = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(object);
	assert_int_equal(json_object_size(object), 37);
	return object;
}

static void what_is_not_known_is_null(void **state)
{
	static const char *const known[] = { "laddr", "lport",	"raddr",  "rport",     "family",
					     "netns", "cookie", "seeded", "incomplete" };
	json_t *object = written(&unknown_record);
	const char *name;
	json_t *value;
	size_t nulls = 0;

	(void)state;
	json_object_foreach (object, name, value)
		nulls += json_is_null(value);
	assert_int_equal(nulls, 37 - sizeof(known) / sizeof(known[0]));
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		assert_false(json_is_null(json_object_get(object, known[i])));
	json_decref(object);
}

static void numbers_are_numbers_and_texts_are_escaped(void **state)
{
	json_t *object = written(&known_record);

	(void)state;
	assert_string_equal(json_string_value(json_object_get(object, "laddr")), "127.0.0.1");
	assert_string_equal(json_string_value(json_object_get(object, "half_closer_comm")),
			    "w \"o\\rk\"");
	assert_string_equal(json_string_value(json_object_get(object, "closer_comm")), "a,b??");
	assert_int_equal(json_integer_value(json_object_get(object, "closer_tid")), 43);
	assert_true(json_is_integer(json_object_get(object, "unread_bytes")));
	assert_true(json_is_real(json_object_get(object, "time_wait_us")));
	assert_true(json_real_value(json_object_get(object, "fin_wait_1_us")) == 1.5);
	assert_int_equal(json_integer_value(json_object_get(object, "ended_ns")), 3000);
	json_decref(object);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_known_is_null),
		cmocka_unit_test(numbers_are_numbers_and_texts_are_escaped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
