/* SPDX-License-Identifier: MIT */
/* Names that processes gave themselves, made fit for terminals and JSON. */
#include "common/printable.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void assert_printed(const char *from, const char *expected)
{
	char to[16];

	printable_copy(to, sizeof(to), from, 16);
	assert_string_equal(to, expected);
}

static void what_is_printable_stays(void **state)
{
	(void)state;
	assert_printed("", "");
	assert_printed("php-fpm", "php-fpm");
	assert_printed("a \"b\",\\", "a \"b\",\\");
	assert_printed("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\xa7",
		       "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\xa7");
}

static void controls_and_torn_characters_do_not(void **state)
{
	(void)state;
	assert_printed("\033[2J", "?[2J");
	assert_printed("a\nb\r\x7f", "a?b??");
	assert_printed("\xc2\x9b"
		       "2J",
		       "??2J");
	assert_printed("\xff\x80", "??");
	assert_printed("\xc0\xaf", "??");      /* '/', too long */
	assert_printed("\xed\xa0\x80", "???"); /* half of a pair of UTF-16 */
	assert_printed("123456789012\xe2\x82\xac", "123456789012\xe2\x82\xac");
	assert_printed("1234567890123\xe2\x82\xac", "1234567890123??"); /* cut by the kernel */
}

static void no_byte_behind_the_end_is_read(void **state)
{
	const char name[3] = { 'a', 'b', 'c' };
	char to[16];

	(void)state;
	printable_copy(to, sizeof(to), name, sizeof(name));
	assert_string_equal(to, "abc");
}

static void what_is_utf8_is_told(void **state)
{
	(void)state;
	assert_true(printable_is_utf8(""));
	assert_true(printable_is_utf8("two\twords"));
	assert_true(printable_is_utf8("gr\xc3\xbc\xc3\x9f"));
	assert_false(printable_is_utf8("caf\xe9"));
	assert_false(printable_is_utf8("gr\xc3"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_printable_stays),
		cmocka_unit_test(controls_and_torn_characters_do_not),
		cmocka_unit_test(no_byte_behind_the_end_is_read),
		cmocka_unit_test(what_is_utf8_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
