/* SPDX-License-Identifier: MIT */
/* Rows of the trace: an empty field for each thing not known, 0 only where 0 was measured. */
#include "tracer/trace_csv.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>

#include "tests/unit/crafted.h"

static void assert_row(const struct close_record *record, const char *expected)
{
	struct csv *csv = NULL;

	make_crafted_file();
	assert_int_equal(csv_create(&csv, crafted_path), 0);
	assert_int_equal(record ? trace_csv_row(csv, record) : trace_csv_header(csv), 0);
	assert_int_equal(csv_close(csv), 0);
	assert_string_equal(take_crafted_file(), expected);
}

static void columns_keep_their_order(void **state)
{
	(void)state;
	assert_row(NULL,
		   "laddr,lport,raddr,rport,family,netns,side,half_closer_pid,half_closer_tid,"
		   "half_closer_comm,closer_pid,closer_tid,closer_comm,close_call_us,"
		   "fin_wait_1_us,fin_wait_2_us,orphan_us,mini_socket_us,closing_us,close_wait_us,"
		   "last_ack_us,time_wait_us,unread_bytes,unacked_bytes,drained_bytes,end,"
		   "rst,rst_reason,state,seeded,incomplete,cookie,established_ns,"
		   "half_closed_ns,closed_ns,ended_ns,state_since_ns\n");
}

static void unknown_fields_are_empty(void **state)
{
	(void)state;
	assert_row(&unknown_record,
		   "::1,443,fe80::2,50000,ipv6,3,,,,,,,,,,,,,,,,,,,,,,,,1,1,7,,,,,\n");
}

static void known_fields_are_written(void **state)
{
	(void)state;
	assert_row(&known_record, "127.0.0.1,80,10.0.0.2,50000,ipv4,3,accepted,41,40,\"w "
				  "\"\"o\\rk\"\"\",42,43,\"a,b??\","
				  "0.001,1.500,60000000.000,0.002,0.001,0.003,0.004,0.005,0.000,0,"
				  "9,0,reset_received,"
				  "received,,,0,0,7,1000,1500,2000,3000,\n");
}

static void families_are_told_apart(void **state)
{
	struct close_record record = unknown_record;

	(void)state;
	memset(record.raddr, 0, sizeof(record.raddr));
	memset(record.raddr + 10, 0xff, 2);
	record.raddr[15] = 9;
	memcpy(record.laddr, record.raddr, sizeof(record.laddr));
	assert_row(&record,
		   "::ffff:0.0.0.9,443,::ffff:0.0.0.9,50000,ipv4_mapped,3,,,,,,,,,,,,,,,,,,,,,"
		   ",,,1,1,7,,,,,\n");
}

static void assert_end(unsigned int end, unsigned int flags, unsigned int tcp_state,
		       const char *expected)
{
	struct close_record record = unknown_record;
	char row[256];

	record.end = (__u8)end;
	record.flags = (__u16)flags;
	record.state = (__u8)tcp_state;
	snprintf(row, sizeof(row), "::1,443,fe80::2,50000,ipv6,3,,,,,,,,,,,,,,,,,,,,%s,7,,,,,\n",
		 expected);
	assert_row(&record, row);
}

static void ends_and_resets_and_states(void **state)
{
	(void)state;
	assert_end(CLOSE_END_UNKNOWN, 0, 1, ",,,,0,0");
	assert_end(CLOSE_END_FIN, 0, 7, "fin,none,,,0,0");
	assert_end(CLOSE_END_FIN, CLOSE_INCOMPLETE, 7, "fin,,,,0,1");
	assert_end(CLOSE_END_RESET_SENT, CLOSE_RESET_SENT | CLOSE_RESET_RECEIVED, 7,
		   "reset_sent,sent,,,0,0");
	assert_end(CLOSE_END_RESET_SENT, CLOSE_RESET_SENT | CLOSE_INCOMPLETE, 7,
		   "reset_sent,sent,,,0,1");
	assert_end(CLOSE_END_OPEN, CLOSE_SEEDED, 1, "open,none,,ESTABLISHED,1,0");
	assert_end(CLOSE_END_OPEN, 0, 5, "open,none,,FIN_WAIT_2,0,0");
	assert_end(CLOSE_END_OPEN, 0, 8, "open,none,,CLOSE_WAIT,0,0");
	assert_end(CLOSE_END_OPEN, 0, 200, "open,none,,,0,0");
	assert_end(200, 0, 200, ",none,,,0,0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_keep_their_order),
		cmocka_unit_test(unknown_fields_are_empty),
		cmocka_unit_test(known_fields_are_written),
		cmocka_unit_test(families_are_told_apart),
		cmocka_unit_test(ends_and_resets_and_states),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
