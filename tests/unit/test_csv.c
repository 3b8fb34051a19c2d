/* SPDX-License-Identifier: MIT */
/* CSV rows: quoted where they must be, and whole rows only, whatever happens to the disk. */
#include "common/csv.c"

#include <setjmp.h>
#include <stddef.h>
#include <cmocka.h>

#include <signal.h>
#include <sys/resource.h>

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
	struct csv *csv;

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
	struct csv *csv;

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

static void a_row_that_was_not_ended_is_dropped(void **state)
{
	struct csv *csv;

	(void)state;
	assert_int_equal(csv_create(&csv, path), 0);
	csv_text(csv, "whole");
	assert_int_equal(csv_end_row(csv), 0);
	csv_text(csv, "half");
	assert_int_equal(csv_flush(csv), 0);
	assert_string_equal(content(), "whole\n");
	csv_text(csv, "half");
	assert_int_equal(csv_close(csv), 0);
	assert_string_equal(content(), "whole\n");
}

static void a_row_goes_on_after_a_flush(void **state)
{
	struct csv *csv;

	(void)state;
	assert_int_equal(csv_create(&csv, path), 0);
	csv_number(csv, 1);
	assert_int_equal(csv_flush(csv), 0);
	csv_number(csv, 2);
	assert_int_equal(csv_end_row(csv), 0);
	assert_int_equal(csv_close(csv), 0);
	assert_string_equal(content(), "1,2\n");
}

static void a_full_device_is_an_error_that_stays(void **state)
{
	struct csv *csv;

	(void)state;
	assert_int_equal(csv_create(&csv, "/dev/full"), 0);
	csv_text(csv, "row");
	assert_int_equal(csv_end_row(csv), 0);
	assert_int_equal(csv_flush(csv), -ENOSPC);
	csv_text(csv, "another");
	assert_int_equal(csv_end_row(csv), -ENOSPC);
	assert_int_equal(csv_flush(csv), -ENOSPC);
	assert_int_equal(csv_close(csv), -ENOSPC);
}

/* The limit of the file's size stands for a disk that fills up: a short write, then an error. */
static void a_file_is_cut_back_to_its_last_whole_row(void **state)
{
	struct rlimit before, limit;
	struct csv *csv;
	size_t length;
	int error = 0;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	limit = before;
	limit.rlim_cur = 100005;
	assert_int_equal(csv_create(&csv, path), 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	for (int i = 0; i < 30000 && !error; i++) {
		csv_text(csv, "123456789");
		error = csv_end_row(csv);
	}
	assert_int_equal(error, -EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(csv_flush(csv), -EFBIG);
	assert_int_equal(csv_close(csv), -EFBIG);
	length = strlen(content());
	assert_int_equal(length, 100000);
	assert_int_equal(content()[length - 1], '\n');
}

static void a_pipe_without_a_reader_is_an_error(void **state)
{
	int saved = dup(STDOUT_FILENO);
	struct csv *csv;
	int ends[2];

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe(ends), 0);
	fflush(stdout);
	assert_true(dup2(ends[1], STDOUT_FILENO) >= 0);
	assert_int_equal(csv_create(&csv, "-"), 0);
	assert_true(dup2(saved, STDOUT_FILENO) >= 0);
	close(saved);
	close(ends[0]);
	close(ends[1]);
	csv_text(csv, "row");
	assert_int_equal(csv_end_row(csv), 0);
	assert_int_equal(csv_flush(csv), -EPIPE);
	assert_int_equal(csv_close(csv), -EPIPE);
}

static void a_path_that_cannot_be_opened_leaves_the_result_alone(void **state)
{
	struct csv *csv = NULL;

	(void)state;
	assert_int_equal(csv_create(&csv, "/nonexistent/file"), -ENOENT);
	assert_null(csv);
	assert_int_equal(csv_close(NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_are_separated_and_unknown_ones_empty),
		cmocka_unit_test(texts_are_quoted_where_they_must_be),
		cmocka_unit_test(a_row_that_was_not_ended_is_dropped),
		cmocka_unit_test(a_row_goes_on_after_a_flush),
		cmocka_unit_test(a_full_device_is_an_error_that_stays),
		cmocka_unit_test(a_file_is_cut_back_to_its_last_whole_row),
		cmocka_unit_test(a_pipe_without_a_reader_is_an_error),
		cmocka_unit_test(a_path_that_cannot_be_opened_leaves_the_result_alone),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
