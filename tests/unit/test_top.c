/* SPDX-License-Identifier: MIT */
/* The groups of the live table: by who closes and the server's port, and no more than there is room for. */
#include "lingertrace/top.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "tests/unit/crafted.h"

static struct top *made;

static struct top *make(bool local_ports)
{
	made = top_new(stderr, 2 * NS_PER_S, local_ports);
	assert_non_null(made);
	return made;
}

static int tear_down(void **state)
{
	(void)state;
	top_close(made);
	return 0;
}

static struct close_record between(uint16_t lport, uint16_t rport)
{
	struct close_record record = unknown_record;

	record.lport = lport;
	record.rport = rport;
	record.end = CLOSE_END_FIN;
	record.closer = (struct close_caller){ 1, 1, "nginx" };
	return record;
}

static void the_lower_port_is_the_servers(void **state)
{
	struct close_record served = between(443, 50000), fetched = between(50000, 443);
	struct top *top = make(false);

	(void)state;
	top_add(top, &served, VERDICT_FINE);
	served.rport = 50001;
	top_add(top, &served, VERDICT_UNREAD);
	top_add(top, &fetched, VERDICT_FINE);
	assert_int_equal(top->count, 2);
	assert_int_equal(top->groups[0].key.port, 443);
	assert_false(top->groups[0].key.is_remote);
	assert_int_equal(top->groups[0].connections, 2);
	assert_int_equal(top->groups[0].at_risk, 1);
	assert_int_equal(top->groups[1].key.port, 443);
	assert_true(top->groups[1].key.is_remote);
}

static void with_a_filter_the_local_port_counts(void **state)
{
	struct close_record record = between(50000, 443);
	struct top *top = make(true);

	(void)state;
	top_add(top, &record, VERDICT_FINE);
	assert_int_equal(top->groups[0].key.port, 50000);
	assert_false(top->groups[0].key.is_remote);
}

static void who_only_half_closed_is_named_too(void **state)
{
	struct close_record record = between(443, 50000);
	struct top *top = make(true);

	(void)state;
	record.closer = (struct close_caller){ 0 };
	record.half_closer = (struct close_caller){ 2, 2, "php-fpm" };
	top_add(top, &record, VERDICT_FINE);
	assert_string_equal(top->groups[0].key.comm, "php-fpm");
}

static void others_share_the_last_group(void **state)
{
	struct top *top = make(true);
	uint64_t sum = 0;

	(void)state;
	for (uint16_t port = 1; port <= 1000; port++) {
		struct close_record record = between(port, 50000);

		record.fin_wait_2_ns = 5;
		top_add(top, &record, VERDICT_FINE);
	}
	assert_int_equal(top->count, GROUPS);
	assert_string_equal(top->groups[GROUPS - 1].key.comm, TALLY_OTHERS);
	for (size_t i = 0; i < top->count; i++)
		sum += top->groups[i].connections;
	assert_int_equal(sum, 1000);
	assert_int_equal(top->groups[GROUPS - 1].fin_wait_2->count, 1000 - GROUPS + 1);
	forget(top);
	assert_int_equal(top->count, 0);
	assert_int_equal(top->groups[0].connections, 0);
	assert_int_equal(top->groups[0].fin_wait_2->count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(the_lower_port_is_the_servers, tear_down),
		cmocka_unit_test_teardown(with_a_filter_the_local_port_counts, tear_down),
		cmocka_unit_test_teardown(who_only_half_closed_is_named_too, tear_down),
		cmocka_unit_test_teardown(others_share_the_last_group, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
