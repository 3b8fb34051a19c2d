/* SPDX-License-Identifier: MIT */
/* Rows reach the file whole or not at all, whatever happens to the disk. */
#include "common/rowfile.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>

static char path[256];

static int set_up(void **state)
{
	const char *folder = getenv("TMPDIR");
	int fd;

	(void)state;
	snprintf(path, sizeof(path), "%s/rowfile-XXXXXX", folder ? folder : "/tmp");
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

static void numbers_are_exact(void **state)
{
	struct rowfile *file;

	(void)state;
	assert_int_equal(rowfile_create(&file, path), 0);
	rowfile_number(file, 0);
	rowfile_text(file, " ");
	rowfile_number(file, UINT64_MAX);
	assert_int_equal(rowfile_end_row(file), 0);
	rowfile_thousandths(file, 0);
	rowfile_text(file, " ");
	rowfile_thousandths(file, 1);
	rowfile_text(file, " ");
	rowfile_thousandths(file, 120345);
	rowfile_text(file, " ");
	rowfile_thousandths(file, UINT64_MAX);
	assert_int_equal(rowfile_end_row(file), 0);
	assert_int_equal(rowfile_close(file), 0);
	assert_string_equal(content(), "0 18446744073709551615\n"
				       "0.000 0.001 120.345 18446744073709551.615\n");
}

static void a_row_that_was_not_ended_is_dropped(void **state)
{
	struct rowfile *file;

	(void)state;
	assert_int_equal(rowfile_create(&file, path), 0);
	rowfile_text(file, "whole");
	assert_int_equal(rowfile_end_row(file), 0);
	rowfile_text(file, "half");
	assert_int_equal(rowfile_flush(file), 0);
	assert_string_equal(content(), "whole\n");
	rowfile_text(file, "half");
	assert_int_equal(rowfile_close(file), 0);
	assert_string_equal(content(), "whole\n");
}

static void a_row_goes_on_after_a_flush(void **state)
{
	struct rowfile *file;

	(void)state;
	assert_int_equal(rowfile_create(&file, path), 0);
	rowfile_number(file, 1);
	assert_int_equal(rowfile_flush(file), 0);
	rowfile_number(file, 2);
	assert_int_equal(rowfile_end_row(file), 0);
	assert_int_equal(rowfile_close(file), 0);
	assert_string_equal(content(), "12\n");
}

static void a_full_device_is_an_error_that_stays(void **state)
{
	struct rowfile *file;

	(void)state;
	assert_int_equal(rowfile_create(&file, "/dev/full"), 0);
	rowfile_text(file, "row");
	assert_int_equal(rowfile_end_row(file), 0);
	assert_int_equal(rowfile_flush(file), -ENOSPC);
	rowfile_text(file, "another");
	assert_int_equal(rowfile_end_row(file), -ENOSPC);
	assert_int_equal(rowfile_flush(file), -ENOSPC);
	assert_int_equal(rowfile_close(file), -ENOSPC);
}

/* The limit of the file's size stands for a disk that fills up: a short write, then an error. */
static void a_file_is_cut_back_to_its_last_whole_row(void **state)
{
	struct rlimit before, limit;
	struct rowfile *file;
	size_t length;
	int error = 0;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	limit = before;
	limit.rlim_cur = 100005;
	assert_int_equal(rowfile_create(&file, path), 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	for (int i = 0; i < 30000 && !error; i++) {
		rowfile_text(file, "123456789");
		error = rowfile_end_row(file);
	}
	assert_int_equal(error, -EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(rowfile_flush(file), -EFBIG);
	assert_int_equal(rowfile_close(file), -EFBIG);
	length = strlen(content());
	assert_int_equal(length, 100000);
	assert_int_equal(content()[length - 1], '\n');
}

static void a_pipe_without_a_reader_is_an_error(void **state)
{
	int saved = dup(STDOUT_FILENO);
	struct rowfile *file;
	int ends[2];

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe(ends), 0);
	fflush(stdout);
	assert_true(dup2(ends[1], STDOUT_FILENO) >= 0);
	assert_int_equal(rowfile_create(&file, "-"), 0);
	assert_true(dup2(saved, STDOUT_FILENO) >= 0);
	close(saved);
	close(ends[0]);
	close(ends[1]);
	rowfile_text(file, "row");
	assert_int_equal(rowfile_end_row(file), 0);
	assert_int_equal(rowfile_flush(file), -EPIPE);
	assert_int_equal(rowfile_close(file), -EPIPE);
}

static void a_path_that_cannot_be_opened_leaves_the_result_alone(void **state)
{
	struct rowfile *file = NULL;

	(void)state;
	assert_int_equal(rowfile_create(&file, "/nonexistent/file"), -ENOENT);
	assert_null(file);
	assert_int_equal(rowfile_close(NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_exact),
		cmocka_unit_test(a_row_that_was_not_ended_is_dropped),
		cmocka_unit_test(a_row_goes_on_after_a_flush),
		cmocka_unit_test(a_full_device_is_an_error_that_stays),
		cmocka_unit_test(a_file_is_cut_back_to_its_last_whole_row),
		cmocka_unit_test(a_pipe_without_a_reader_is_an_error),
		cmocka_unit_test(a_path_that_cannot_be_opened_leaves_the_result_alone),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
