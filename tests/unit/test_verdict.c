/* SPDX-License-Identifier: MIT */
/* What records mean: no more than they prove, and the worst of it. */
#include "tracer/verdict.c"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "tests/unit/crafted.h"

/* Closed at 1000 ns, with nothing unread or unacknowledged; close() took 10 ns. */
static struct close_record closed(enum close_end end, unsigned int flags)
{
	struct close_record record = unknown_record;

	record.end = (__u8)end;
	record.flags = (__u16)(CLOSE_CALLED | flags);
	record.state = TCP_CLOSE;
	record.closed_ns = 1000;
	record.close_call_ns = 10;
	record.ended_ns = 5000;
	record.unread_bytes = record.unacked_bytes = 0;
	record.closer = (struct close_caller){ 42, 42, "lingerd" };
	return record;
}

#define assert_verdict(record, reason, expected)                                                   \
	assert_string_equal(verdict_name(verdict_of(&(record), reason)), verdict_name(expected))

static void what_ended_well_is_fine(void **state)
{
	struct close_record record = closed(CLOSE_END_FIN, CLOSE_FIN_SENT | CLOSE_FIN_WAIT_2);

	(void)state;
	assert_verdict(record, NULL, VERDICT_FINE);
	record.unread_bytes = 7; /* no RST was seen: nothing is proven */
	assert_verdict(record, NULL, VERDICT_FINE);
	assert_verdict(unknown_record, NULL, VERDICT_FINE);
	record = closed(CLOSE_END_RESET_RECEIVED, CLOSE_RESET_RECEIVED);
	assert_verdict(record, NULL, VERDICT_FINE);
}

static void unread_data(void **state)
{
	struct close_record record = closed(CLOSE_END_RESET_SENT, CLOSE_RESET_SENT);

	(void)state;
	record.ended_ns = 1005;
	record.unread_bytes = 1;
	assert_verdict(record, "tcp_abort_on_close", VERDICT_UNREAD);
	assert_verdict(record, NULL, VERDICT_UNREAD);
	record.unacked_bytes = 1;
	assert_verdict(record, NULL, VERDICT_UNREAD_CUT);
	record.unacked_bytes = CLOSE_TRACE_UNKNOWN;
	assert_verdict(record, NULL, VERDICT_UNREAD);
	/* The kernel's reason proves it where the count is missing. */
	record.unread_bytes = CLOSE_TRACE_UNKNOWN;
	assert_verdict(record, "tcp_abort_on_close", VERDICT_UNREAD);
}

static void data_after_close(void **state)
{
	struct close_record record =
		closed(CLOSE_END_RESET_SENT,
		       CLOSE_FIN_SENT | CLOSE_RESET_SENT | CLOSE_RESET_RECEIVED);

	(void)state;
	assert_verdict(record, NULL, VERDICT_LATE_DATA);
	assert_verdict(record, "tcp_abort_on_data", VERDICT_LATE_DATA);
	record.unacked_bytes = 100; /* at close() */
	assert_verdict(record, "tcp_abort_on_data", VERDICT_LATE_DATA_CUT);
	/* FIN_WAIT_2: the FIN was acknowledged, and so was all before it. */
	record.flags |= CLOSE_FIN_WAIT_2;
	assert_verdict(record, "tcp_timewait_socket", VERDICT_LATE_DATA);
	/* Perhaps: the event was missed. */
	record.flags |= CLOSE_INCOMPLETE;
	assert_verdict(record, "tcp_timewait_socket", VERDICT_LATE_DATA_CUT);
}

static void abortive_close(void **state)
{
	struct close_record record = closed(CLOSE_END_RESET_SENT, CLOSE_RESET_SENT);

	(void)state;
	record.ended_ns = 1010; /* within close() */
	assert_verdict(record, NULL, VERDICT_ABORTIVE);
	record.unacked_bytes = 100;
	assert_verdict(record, NULL, VERDICT_ABORTIVE_CUT);
	assert_verdict(record, "tcp_disconnect_with_data", VERDICT_ABORTIVE_CUT);
	record.unacked_bytes = 0;
	record.ended_ns = 1011;
	assert_verdict(record, "tcp_abort_on_linger", VERDICT_ABORTIVE);
	/* How long close() took is not known, but there was no FIN. */
	record.close_call_ns = CLOSE_TRACE_UNKNOWN;
	assert_verdict(record, NULL, VERDICT_ABORTIVE);
	/* Nor is it known here, but the first that close() did was the end. */
	record.flags |= CLOSE_FIN_SENT;
	assert_verdict(record, "tcp_state", VERDICT_RESET);
	record.ended_ns = record.closed_ns;
	assert_verdict(record, "tcp_state", VERDICT_ABORTIVE);
}

static void other_resets(void **state)
{
	struct close_record record =
		closed(CLOSE_END_RESET_SENT, CLOSE_FIN_SENT | CLOSE_RESET_SENT);

	(void)state;
	assert_verdict(record, "tcp_abort_on_memory", VERDICT_MEMORY);
	record.unacked_bytes = 1;
	assert_verdict(record, "tcp_abort_on_memory", VERDICT_MEMORY_CUT);
	assert_verdict(record, "tcp_keepalive_timeout", VERDICT_GAVE_UP_CUT);
	assert_verdict(record, "tcp_invalid_ack_sequence", VERDICT_RESET);
	record = unknown_record;
	record.end = CLOSE_END_RESET_SENT;
	assert_verdict(record, NULL, VERDICT_RESET);
}

static void the_peer_resets_or_is_gone(void **state)
{
	struct close_record record = closed(CLOSE_END_RESET_RECEIVED, CLOSE_RESET_RECEIVED);

	(void)state;
	record.unacked_bytes = 1;
	assert_verdict(record, NULL, VERDICT_PEER_RESET_CUT);
	record.end = CLOSE_END_ABORTED;
	assert_verdict(record, NULL, VERDICT_GAVE_UP_CUT);
	record.flags |= CLOSE_FIN_WAIT_2;
	assert_verdict(record, NULL, VERDICT_FINE);
}

static void a_client_has_no_response_to_lose(void **state)
{
	struct close_record record = closed(CLOSE_END_RESET_SENT, CLOSE_RESET_SENT);

	(void)state;
	record.unread_bytes = 1;
	assert_verdict(record, NULL, VERDICT_UNREAD);
	record.flags |= CLOSE_CONNECTED;
	assert_verdict(record, NULL, VERDICT_CLIENT);
	assert_false(verdict_is_risk(VERDICT_CLIENT));
	record = closed(CLOSE_END_FIN, CLOSE_FIN_SENT | CLOSE_CONNECTED);
	assert_verdict(record, NULL, VERDICT_FINE);
}

static void notices(void **state)
{
	struct close_record record = closed(CLOSE_END_FIN, CLOSE_FIN_SENT);

	(void)state;
	record.close_call_ns = VERDICT_BLOCKED_NS;
	assert_verdict(record, NULL, VERDICT_BLOCKED);
	record.close_call_ns--;
	assert_verdict(record, NULL, VERDICT_FINE);
	record.close_wait_ns = VERDICT_CLOSE_WAIT_NS;
	assert_verdict(record, NULL, VERDICT_CLOSE_WAIT);
	record = closed(CLOSE_END_TIMEOUT, CLOSE_FIN_SENT | CLOSE_FIN_WAIT_2);
	assert_verdict(record, NULL, VERDICT_NEVER_CLOSED);
	record = closed(CLOSE_END_ABORTED, CLOSE_FIN_WAIT_2 | CLOSE_TIME_WAIT_OVERFLOW);
	assert_verdict(record, NULL, VERDICT_TIME_WAIT_OVERFLOW);
	record = unknown_record;
	record.end = CLOSE_END_OPEN;
	record.state = TCP_CLOSE_WAIT;
	assert_verdict(record, NULL, VERDICT_CLOSE_WAIT_OPEN);
	record.state = TCP_ESTABLISHED;
	assert_verdict(record, NULL, VERDICT_FINE);
}

static void risks_are_told_from_notices(void **state)
{
	(void)state;
	assert_true(verdict_is_risk(VERDICT_UNREAD_CUT));
	assert_true(verdict_is_risk(VERDICT_RESET));
	assert_false(verdict_is_risk(VERDICT_BLOCKED));
	assert_false(verdict_is_risk(VERDICT_FINE));
	for (unsigned int verdict = 0; verdict < VERDICT_COUNT; verdict++)
		assert_non_null(verdict_name((enum verdict)verdict));
}

static void who_is_responsible(void **state)
{
	struct close_record record = closed(CLOSE_END_RESET_SENT, CLOSE_HALF_CLOSED);

	(void)state;
	record.half_closer = (struct close_caller){ 41, 41, "php-fpm" };
	assert_ptr_equal(verdict_responsible(VERDICT_UNREAD, &record), &record.closer);
	assert_ptr_equal(verdict_responsible(VERDICT_PEER_RESET_CUT, &record), &record.half_closer);
	record.half_closer.pid = 0;
	assert_ptr_equal(verdict_responsible(VERDICT_PEER_RESET_CUT, &record), &record.closer);
	record.closer.pid = 0;
	assert_null(verdict_responsible(VERDICT_UNREAD, &record));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_ended_well_is_fine),
		cmocka_unit_test(unread_data),
		cmocka_unit_test(data_after_close),
		cmocka_unit_test(abortive_close),
		cmocka_unit_test(other_resets),
		cmocka_unit_test(the_peer_resets_or_is_gone),
		cmocka_unit_test(a_client_has_no_response_to_lose),
		cmocka_unit_test(notices),
		cmocka_unit_test(risks_are_told_from_notices),
		cmocka_unit_test(who_is_responsible),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
