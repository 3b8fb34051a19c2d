/* SPDX-License-Identifier: MIT */
/* Lists of names: in their order, each once, and none of them cut. */
#include "lingerbench/names.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static char complaint[512];

static void keep(void *context, int line, const char *text)
{
	(void)context;
	(void)line;
	snprintf(complaint, sizeof(complaint), "%s", text);
}

static const struct inifile_place place = { .file = "case.ini", .line = 3, .report = keep };

static void words_keep_their_order_and_place(void **state)
{
	struct names names = { 0 };

	(void)state;
	assert_true(names_take(&names, "peer", place, "late  prompt\tmine "));
	assert_true(names_take(&names, "peer", (struct inifile_place){ .line = 4 }, "odd"));
	assert_int_equal(names.count, 4);
	assert_string_equal(names.list[0].text, "late");
	assert_string_equal(names.list[2].text, "mine");
	assert_string_equal(names.list[3].text, "odd");
	assert_int_equal(names.list[2].place.line, 3);
	assert_int_equal(names.list[3].place.line, 4);
	assert_true(names_take(&names, "peer", place, " "));
	assert_int_equal(names.count, 4);
}

static void a_wrong_word_is_left_out_and_the_others_are_not(void **state)
{
	struct names names = { 0 };

	(void)state;
	assert_false(names_take(&names, "peer", place, "late prompt late odd"));
	assert_string_equal(complaint, "case.ini:3: peer late stands here twice");
	assert_int_equal(names.count, 3);
	assert_string_equal(names.list[2].text, "odd");
	assert_false(names_take(&names, "peer", place, "a_name_that_is_longer_than_names_are"));
	assert_string_equal(complaint, "case.ini:3: no peer is called "
				       "\"a_name_that_is_longer_than_names_are\"");
	assert_int_equal(names.count, 3);
}

static void there_are_not_more_than_have_room(void **state)
{
	struct names names = { 0 };
	char text[16];

	(void)state;
	for (int i = 0; i < NAMES_MAX; i++) {
		snprintf(text, sizeof(text), "name%d", i);
		assert_true(names_take(&names, "peer", place, text));
	}
	assert_false(names_take(&names, "peer", place, "another"));
	assert_string_equal(complaint, "case.ini:3: more than 32 names");
	assert_int_equal(names.count, NAMES_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_keep_their_order_and_place),
		cmocka_unit_test(a_wrong_word_is_left_out_and_the_others_are_not),
		cmocka_unit_test(there_are_not_more_than_have_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
