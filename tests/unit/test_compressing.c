/* SPDX-License-Identifier: MIT */
/* Which files are compressed, that they come back as they were, and that one which is torn is refused. */
#include "lingerbench/compressing.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <fcntl.h>

#include "lingerbench/csvtable.h"
#include "tests/support/process.h"

static char folder[256], path[300], compressed[310];

static int set_up(void **state)
{
	(void)state;
	make_folder(folder);
	snprintf(path, sizeof(path), "%s/t.csv", folder);
	snprintf(compressed, sizeof(compressed), "%s.gz", path);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	remove_folder(folder);
	return 0;
}

static void write_rows(int rows)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs("number,square\n", file);
	for (int i = 0; i < rows; i++)
		fprintf(file, "%d,%d\n", i, i * i);
	fclose(file);
}

static void the_large_ones_are_compressed_unless_told_otherwise(void **state)
{
	(void)state;
	write_rows(1);
	assert_int_equal(compressing_file(path, COMPRESSING_AUTO), 0);
	assert_int_equal(truncate(path, AUTO_BYTES - 1), 0);
	assert_int_equal(compressing_file(path, COMPRESSING_AUTO), 0);
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(truncate(path, AUTO_BYTES), 0);
	assert_int_equal(compressing_file(path, COMPRESSING_NO), 0);
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(compressing_file(path, COMPRESSING_AUTO), 0);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(access(compressed, F_OK), 0);
	assert_int_equal(compressing_file(path, COMPRESSING_YES), -ENOENT);
}

static void what_was_compressed_is_read_as_it_was(void **state)
{
	struct csvtable table;
	double square;

	(void)state;
	write_rows(20000); /* several pieces */
	assert_int_equal(compressing_file(path, COMPRESSING_YES), 0);
	assert_int_equal(csvtable_read(&table, path), 0);
	assert_int_equal(table.row_count, 20000);
	assert_true(csvtable_number(&table, 19999, "square", &square));
	assert_true(square == 19999.0 * 19999);
	csvtable_free(&table);
	/* The plain one is taken where both are. */
	write_rows(1);
	assert_int_equal(csvtable_read(&table, path), 0);
	assert_int_equal(table.row_count, 1);
	csvtable_free(&table);
}

static void what_is_torn_is_refused(void **state)
{
	struct csvtable table;
	struct stat status;
	int fd;

	(void)state;
	write_rows(20000);
	assert_int_equal(compressing_file(path, COMPRESSING_YES), 0);
	assert_int_equal(stat(compressed, &status), 0);
	assert_int_equal(truncate(compressed, status.st_size / 2), 0);
	assert_true(csvtable_read(&table, path) < 0);
	write_rows(20000);
	assert_int_equal(compressing_file(path, COMPRESSING_YES), 0);
	fd = open(compressed, O_WRONLY);
	assert_int_equal(pwrite(fd, "xxxx", 4, status.st_size / 2), 4);
	close(fd);
	assert_true(csvtable_read(&table, path) < 0);
}

static void no_room_is_an_error(void **state)
{
	(void)state;
	write_rows(20000);
	assert_int_equal(symlink("/dev/full", compressed), 0);
	assert_int_equal(compressing_file(path, COMPRESSING_YES), -ENOSPC);
	assert_int_equal(access(path, F_OK), 0);
}

static void the_setting_has_three_values(void **state)
{
	enum compressing how = COMPRESSING_NO;

	(void)state;
	assert_int_equal(compressing_parse("auto", &how), 0);
	assert_int_equal(how, COMPRESSING_AUTO);
	assert_int_equal(compressing_parse("yes", &how), 0);
	assert_int_equal(how, COMPRESSING_YES);
	assert_int_equal(compressing_parse("no", &how), 0);
	assert_int_equal(how, COMPRESSING_NO);
	assert_int_equal(compressing_parse("", &how), -EINVAL);
	assert_int_equal(compressing_parse("yess", &how), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_large_ones_are_compressed_unless_told_otherwise,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_was_compressed_is_read_as_it_was, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(what_is_torn_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(no_room_is_an_error, set_up, tear_down),
		cmocka_unit_test(the_setting_has_three_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
