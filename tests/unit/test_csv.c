/* SPDX-License-Identifier: MIT */
/* CSV rows: quoted where they must be, empty where nothing is known. */
#include "common/csv.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <unistd.h>

static char path[256];

static int set_up(void **state)
{
	const char *folder = getenv("TMPDIR");
	int fd;

	(void)state;
	snprintf(path, sizeof(path), "%s/csv-XXXXXX", folder ? folder : "/tmp");
	fd = mkstemp(path);
	return fd < 0 ? -1 : close(fd);
}

static int tear_down(void **state)
{
	(void)state;
	return unlink(path);
}

static const char *content(void)
{
	static char text[1 << 18];
	FILE *file = fopen(path, "r");
	size_t length;

	assert_non_null(file);
	length = fread(text, 1, sizeof(text) - 1, file);
	text[length] = '\0';
	fclose(file);
	return text;
}

static void fields_are_separated_and_unknown_ones_empty(void **state)
{
	struct csv *csv = NULL;

	(void)state;
	assert_int_equal(csv_create(&csv, path), 0);
	csv_unknown(csv);
	csv_text(csv, "a b");
	csv_text(csv, NULL);
	csv_number(csv, UINT64_MAX);
	csv_decimal(csv, 1.0005, 3);
	csv_decimal(csv, 0, 3);
	csv_unknown(csv);
	assert_int_equal(csv_end_row(csv), 0);
	csv_text(csv, "");
	assert_int_equal(csv_end_row(csv), 0);
	assert_int_equal(csv_close(csv), 0);
	assert_string_equal(content(), ",a b,,18446744073709551615,1.000,0.000,\n\n");
}

static void texts_are_quoted_where_they_must_be(void **state)
{
	struct csv *csv = NULL;

	(void)state;
	assert_int_equal(csv_create(&csv, path), 0);
	csv_text(csv, "a,b");
	csv_text(csv, "say \"no\"");
	csv_text(csv, "two\nlines\r");
	csv_text(csv, "'plain'");
	assert_int_equal(csv_end_row(csv), 0);
	assert_int_equal(csv_close(csv), 0);
	assert_string_equal(content(), "\"a,b\",\"say \"\"no\"\"\",\"two lines \",'plain'\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_are_separated_and_unknown_ones_empty),
		cmocka_unit_test(texts_are_quoted_where_they_must_be),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
