/* SPDX-License-Identifier: MIT */
/* Rows of the trace: an empty field for each thing not known, 0 only where 0 was measured. */
#include "tracer/trace_csv.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void assert_row(const struct close_record *record, const char *expected)
{
	const char *folder = getenv("TMPDIR");
	char path[256], text[1024] = "";
	struct csv *csv;
	FILE *file;
	int fd;

	snprintf(path, sizeof(path), "%s/row-XXXXXX", folder ? folder : "/tmp");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(csv_create(&csv, path), 0);
	assert_int_equal(trace_csv_row(csv, record), 0);
	assert_int_equal(csv_close(csv), 0);
	file = fopen(path, "r");
	assert_non_null(file);
	assert_non_null(fgets(text, sizeof(text), file));
	fclose(file);
	unlink(path);
	assert_string_equal(text, expected);
}

static void unknown_fields_are_empty(void **state)
{
	struct close_record record = {
		.family = AF_INET6,
		.lport = 443,
		.rport = 50000,
		.laddr = { [15] = 1 },
		.raddr = { 0xfe, 0x80, [15] = 2 },
		.cookie = 7,
		.established_ns = 1000,
		.closed_ns = CLOSE_TRACE_UNKNOWN,
		.ended_ns = CLOSE_TRACE_UNKNOWN,
		.close_call_ns = CLOSE_TRACE_UNKNOWN,
		.fin_wait_1_ns = CLOSE_TRACE_UNKNOWN,
		.fin_wait_2_ns = CLOSE_TRACE_UNKNOWN,
		.orphan_ns = CLOSE_TRACE_UNKNOWN,
		.time_wait_ns = CLOSE_TRACE_UNKNOWN,
		.unread_bytes = CLOSE_TRACE_UNKNOWN,
		.unacked_bytes = CLOSE_TRACE_UNKNOWN,
	};

	(void)state;
	assert_row(&record, "::1,443,fe80::2,50000,,,,,,,,,,,ipv6,0,7,1000,,\n");
}

static void known_fields_are_written(void **state)
{
	struct close_record record = {
		.family = AF_INET,
		.lport = 80,
		.rport = 50000,
		.laddr = { 127, 0, 0, 1 },
		.raddr = { 10, 0, 0, 2 },
		.netns = 3,
		.cookie = 7,
		.established_ns = 1000,
		.closed_ns = 2000,
		.ended_ns = 3000,
		.close_call_ns = 1,
		.fin_wait_1_ns = 1500,
		.fin_wait_2_ns = 60000000000,
		.end = CLOSE_END_RESET_RECEIVED,
		.flags = CLOSE_CALLED,
		.closer.pid = 42,
		.closer.comm = "a,b",
	};

	(void)state;
	assert_row(&record, "127.0.0.1,80,10.0.0.2,50000,42,\"a,b\",0.001,1.500,60000000.000,0.000,"
			    "0.000,0,0,reset_received,ipv4,3,7,1000,2000,3000\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unknown_fields_are_empty),
		cmocka_unit_test(known_fields_are_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
