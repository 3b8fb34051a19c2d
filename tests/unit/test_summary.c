/* SPDX-License-Identifier: MIT */
/* A summary must not flatter: clients that gave up count in the time, not in the hold. */
#include "lingerbench/summary.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>

#define SECOND 1000000000ULL

static const struct trial trial = { .cpu_known = true, .cpu_us = 300 };

static struct client_row whole_after(uint64_t ns)
{
	return (struct client_row){ .started_ns = SECOND,
				    .last_byte_ns = SECOND + ns,
				    .eof_ns = SECOND + ns,
				    .ended_ns = SECOND + ns,
				    .outcome = OUTCOME_COMPLETE_FIN };
}

static struct server_row held_for(uint64_t ns)
{
	return (struct server_row){ .accepted_ns = SECOND + 1,
				    .responded_ns = SECOND + 2,
				    .released_ns = SECOND + 2 + ns };
}

static void those_who_gave_up_lengthen_the_time(void **state)
{
	struct client_row clients[] = {
		whole_after(SECOND / 100),
		{ .started_ns = SECOND, .ended_ns = 3 * SECOND, .outcome = OUTCOME_TIMEOUT }
	};
	struct joined_row rows[] = { { .client = &clients[0] }, { .client = &clients[1] } };
	struct summary summary = { 0 };
	double value;

	(void)state;
	assert_int_equal(summary_add(&summary, &trial, rows, 2, 0), 0);
	assert_true(sample_quantile(&summary.throughput_per_s, 0.5, &value));
	assert_true(value > 0.499 && value < 0.501); /* one in two seconds */
	assert_int_equal(summary_incomplete(&summary), 1);
	summary_free(&summary);
}

static void a_worker_is_held_by_clients_that_are_there(void **state)
{
	struct client_row clients[] = { whole_after(SECOND),
					whole_after(SECOND),
					whole_after(SECOND),
					{ .started_ns = 1, .ended_ns = SECOND } };
	struct server_row servers[] = { held_for(5000), held_for(7000), held_for(1), held_for(1) };
	struct joined_row rows[4];
	struct summary summary = { 0 };
	double value;

	(void)state;
	servers[2].error = -ECONNRESET;
	for (int i = 0; i < 4; i++)
		rows[i] = (struct joined_row){ .client = &clients[i], .server = &servers[i] };
	assert_int_equal(summary_add(&summary, &trial, rows, 4, 0), 0);
	assert_int_equal(summary.worker_hold_us.count, 2);
	assert_int_equal(summary.unserved, 2);
	assert_true(sample_quantile(&summary.worker_hold_us, 0.01, &value) && value == 5);
	summary_free(&summary);
}

static void a_stay_that_was_not_seen_to_its_end_is_remembered(void **state)
{
	struct client_row client = whole_after(SECOND);
	struct server_row server = held_for(5000);
	struct close_record seen = { .end = CLOSE_END_FIN, .fin_wait_2_ns = 9000 };
	struct close_record unseen = { .end = CLOSE_END_FIN,
				       .flags = CLOSE_FIN_WAIT_2,
				       .fin_wait_2_ns = CLOSE_TRACE_UNKNOWN };
	struct close_record had_none = { .end = CLOSE_END_RESET_SENT,
					 .fin_wait_2_ns = CLOSE_TRACE_UNKNOWN };
	struct joined_row rows[] = { { &client, &server, &seen },
				     { &client, &server, &unseen },
				     { &client, &server, &had_none },
				     { &client, &server, NULL } };
	struct summary summary = { .tracing = true };

	(void)state;
	assert_int_equal(summary_add(&summary, &trial, rows, 4, 0), 0);
	assert_int_equal(summary.traced, 3);
	assert_int_equal(summary.fin_wait_2_us.count, 1);
	assert_int_equal(summary.fin_wait_2_unseen, 2);
	summary_free(&summary);
}

static void throughput_is_compared_block_by_block(void **state)
{
	struct client_row client = whole_after(SECOND / 10);
	struct joined_row rows[] = { { .client = &client } };
	struct summary summary = { 0 };
	double value;

	(void)state;
	assert_int_equal(summary_add(&summary, &trial, rows, 1, 5), 0);
	assert_int_equal(summary_add(&summary, &trial, rows, 1, 0), 0); /* not known */
	assert_int_equal(summary.throughput_per_s.count, 2);
	assert_int_equal(summary.throughput_ratio.count, 1);
	assert_true(sample_quantile(&summary.throughput_ratio, 0.5, &value));
	assert_true(value > 1.99 && value < 2.01);
	summary_free(&summary);
}

static int no_server(const struct program_setup *setup)
{
	(void)setup;
	return -1;
}

static void what_a_real_server_kept_is_the_rest(void **state)
{
	static const struct program apache = { .name = "apache", .execute = no_server };
	static const struct arm arm = { .program = &apache,
					.strategy = { .name = "lingerd", .needs_lingerd = true } };
	struct client_row client = whole_after(SECOND);
	struct joined_row rows[] = { { .client = &client }, { .client = &client } };
	struct summary summary = { .arm = &arm };
	struct trial told = { .cpu_known = true, .handoffs_known = true, .handoffs = 1 };

	(void)state;
	assert_int_equal(summary_add(&summary, &told, rows, 2, 0), 0);
	assert_int_equal(summary.fallbacks, 1);
	assert_false(summary.fallbacks_unknown);
	told.handoffs_known = false;
	assert_int_equal(summary_add(&summary, &told, rows, 2, 0), 0);
	assert_true(summary.fallbacks_unknown);
	summary_free(&summary);
}

static void cpu_is_unknown_as_soon_as_one_trial_does_not_know_it(void **state)
{
	const struct trial dead = { .cpu_known = false };
	struct summary summary = { 0 };

	(void)state;
	assert_int_equal(summary_add(&summary, &trial, NULL, 0, 0), 0);
	assert_false(summary.cpu_unknown);
	assert_int_equal(summary_add(&summary, &dead, NULL, 0, 0), 0);
	assert_true(summary.cpu_unknown);
	summary_free(&summary);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(those_who_gave_up_lengthen_the_time),
		cmocka_unit_test(a_worker_is_held_by_clients_that_are_there),
		cmocka_unit_test(a_stay_that_was_not_seen_to_its_end_is_remembered),
		cmocka_unit_test(throughput_is_compared_block_by_block),
		cmocka_unit_test(what_a_real_server_kept_is_the_rest),
		cmocka_unit_test(cpu_is_unknown_as_soon_as_one_trial_does_not_know_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
