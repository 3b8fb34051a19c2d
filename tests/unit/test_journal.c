/* SPDX-License-Identifier: MIT */
/* What the log is told: at once the first time, then at most every ten seconds; sums only after activity. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>

static char said[4096];
static int lines;

__attribute__((format(printf, 1, 2))) static void note(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(said, sizeof(said), format, arguments);
	va_end(arguments);
	lines++;
}

#define log_info    note
#define log_warning note
#include "lingerd/journal.c"

static struct journal journal;
static struct counters counters;
static const uint64_t interval = 60 * NS_PER_S;
static uint64_t now;

static int set_up(void **state)
{
	(void)state;
	memset(&journal, 0, sizeof(journal));
	memset(&counters, 0, sizeof(counters));
	now = 1000 * NS_PER_S;
	lines = 0;
	return 0;
}

static void pass(unsigned int seconds)
{
	now += seconds * NS_PER_S;
	journal_tick(&journal, &counters, interval, now);
}

static void silence_needs_no_timer(void **state)
{
	(void)state;
	pass(0);
	pass(3600);
	assert_int_equal(lines, 0);
	assert_true(journal_next_ns(&journal, &counters, interval) == UINT64_MAX);
	counters.status_requests++; /* who looks is no news */
	pass(1);
	assert_true(journal_next_ns(&journal, &counters, interval) == UINT64_MAX);
}

static void sums_come_an_interval_after_the_first_news(void **state)
{
	(void)state;
	counters.handoffs = 5;
	counters.ended_fin = 3;
	counters.lingers = 2;
	counters.drained_bytes = 77;
	pass(0);
	assert_int_equal(lines, 0);
	assert_true(journal_next_ns(&journal, &counters, interval) == now + interval);
	pass(59);
	assert_int_equal(lines, 0);
	counters.ended_idle = 2;
	counters.lingers = 0;
	pass(1);
	assert_int_equal(lines, 1);
	assert_string_equal(said,
			    "in 60 s: 5 handoffs: 3 fin, 2 idle; 0 refused, 77 bytes drained; "
			    "0 linger now");
	assert_true(journal_next_ns(&journal, &counters, interval) == UINT64_MAX);
	pass(600);
	assert_int_equal(lines, 1);
	counters.handoffs++; /* only what is new */
	counters.ended_reset++;
	pass(0);
	pass(60);
	assert_string_equal(said, "in 60 s: 1 handoffs: 1 reset; 0 refused, 0 bytes drained; "
				  "0 linger now");
	assert_int_equal(lines, 2);
}

static void sums_can_be_had_not_at_all(void **state)
{
	(void)state;
	counters.handoffs = 5;
	journal_tick(&journal, &counters, 0, now);
	assert_true(journal_next_ns(&journal, &counters, 0) == UINT64_MAX);
	journal_tick(&journal, &counters, 0, now + 1000 * interval);
	assert_int_equal(lines, 0);
}

static void notices_come_at_once_and_then_seldom(void **state)
{
	(void)state;
	counters.intake_pauses = 1;
	pass(0);
	assert_int_equal(lines, 1);
	assert_non_null(strstr(said, "full: servers wait"));
	assert_non_null(strstr(said, "(1 time "));
	counters.intake_pauses = 8;
	pass(9);
	assert_int_equal(lines, 1);
	assert_true(journal_next_ns(&journal, &counters, interval) == now + NS_PER_S);
	pass(1);
	assert_int_equal(lines, 2);
	assert_non_null(strstr(said, "(7 times since the last such line)"));
	pass(20);
	assert_int_equal(lines, 2);
	assert_true(journal_next_ns(&journal, &counters, interval) == UINT64_MAX);
	counters.ended_quota = 1; /* another class is not kept back by it */
	counters.intake_pauses = 9;
	pass(0);
	assert_int_equal(lines, 4);
}

static void the_last_line_has_all(void **state)
{
	(void)state;
	counters.handoffs = 2;
	counters.ended_byte_cap = 2;
	counters.refused_access = 1;
	counters.refused_version = 1;
	journal_say_end(&counters);
	assert_string_equal(said, "ended: 2 handoffs: 2 byte cap; 2 refused, 0 bytes drained");
}

static void the_last_line_adds_up_at_a_restart(void **state)
{
	(void)state;
	counters.handoffs = 4;
	counters.restored = 5;
	counters.ended_fin = 3;
	counters.passed_on = 6;
	journal_say_end(&counters);
	assert_string_equal(said, "ended: 4 handoffs, 5 restored: 3 fin; 6 passed on; 0 refused, 0 "
				  "bytes drained");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(silence_needs_no_timer, set_up),
		cmocka_unit_test_setup(sums_come_an_interval_after_the_first_news, set_up),
		cmocka_unit_test_setup(sums_can_be_had_not_at_all, set_up),
		cmocka_unit_test_setup(notices_come_at_once_and_then_seldom, set_up),
		cmocka_unit_test_setup(the_last_line_has_all, set_up),
		cmocka_unit_test_setup(the_last_line_adds_up_at_a_restart, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
