/* SPDX-License-Identifier: MIT */
/* Rows of client, worker and kernel must meet their own connection, ports used twice included. */
#include "lingerbench/join.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void accept_row(struct trial_rows *rows, uint16_t port, uint64_t accepted_ns,
		       uint64_t cookie)
{
	rows->server[atomic_fetch_add(&rows->accepted, 1)] = (struct server_row){
		.client_port = port, .accepted_ns = accepted_ns, .cookie = cookie
	};
}

static void rows_meet_by_port_and_cookie(void **state)
{
	struct trial_rows *rows = trial_rows_map(4);
	struct tracelog log = { 0 };
	struct joined_row joined[4];

	(void)state;
	rows->client[0] = (struct client_row){ .port = 5000, .started_ns = 10 };
	rows->client[1] = (struct client_row){ .port = 5001, .started_ns = 20 };
	rows->client[2] = (struct client_row){ .port = 5000, .started_ns = 30 };
	rows->client[3] = (struct client_row){ .port = 0, .started_ns = 40 }; /* never connected */
	accept_row(rows, 5000, 35, 103);
	accept_row(rows, 5001, 25, 102);
	accept_row(rows, 5000, 15, 101);
	tracelog_add(&log, &(struct close_record){ .cookie = 103, .lport = 3 });
	tracelog_add(&log, &(struct close_record){ .cookie = 101, .lport = 1 });
	tracelog_sort(&log);

	assert_int_equal(join_rows(rows, 4, &log, false, joined), 0);
	assert_int_equal(joined[0].server->cookie, 101);
	assert_int_equal(joined[0].trace->lport, 1);
	assert_int_equal(joined[1].server->cookie, 102);
	assert_null(joined[1].trace);
	assert_int_equal(joined[2].server->cookie, 103);
	assert_int_equal(joined[2].trace->lport, 3);
	assert_null(joined[3].server);
	tracelog_free(&log);
	trial_rows_unmap(rows);
}

static void a_connection_nobody_accepted_has_no_server_row(void **state)
{
	struct trial_rows *rows = trial_rows_map(2);
	struct tracelog log = { 0 };
	struct joined_row joined[1];

	(void)state;
	rows->client[0] = (struct client_row){ .port = 5000, .started_ns = 50 };
	accept_row(rows, 5000, 15, 7); /* an older connection from that port */
	accept_row(rows, 4999, 60, 8);
	assert_int_equal(join_rows(rows, 1, &log, false, joined), 0);
	assert_null(joined[0].server);
	assert_null(joined[0].trace);
	trial_rows_unmap(rows);
}

static void the_next_connection_from_a_port_is_not_this_one(void **state)
{
	struct trial_rows *rows = trial_rows_map(2);
	struct tracelog log = { 0 };
	struct joined_row joined[2];

	(void)state;
	rows->client[0] =
		(struct client_row){ .port = 5000, .started_ns = 10 }; /* never accepted */
	rows->client[1] = (struct client_row){ .port = 5000, .started_ns = 30 };
	accept_row(rows, 5000, 35, 7);
	assert_int_equal(join_rows(rows, 2, &log, false, joined), 0);
	assert_null(joined[0].server);
	assert_int_equal(joined[1].server->cookie, 7);
	trial_rows_unmap(rows);
}

static void a_real_servers_connection_is_found_by_its_port_and_time(void **state)
{
	struct trial_rows *rows = trial_rows_map(4);
	struct tracelog log = { 0 };
	struct joined_row joined[4];

	(void)state;
	rows->client[0] = (struct client_row){ .port = 5000, .started_ns = 10, .ended_ns = 20 };
	rows->client[1] = (struct client_row){ .port = 5000, .started_ns = 30, .ended_ns = 40 };
	rows->client[2] = (struct client_row){ .port = 5001, .started_ns = 10, .ended_ns = 20 };
	rows->client[3] = (struct client_row){ .port = 0, .started_ns = 40, .ended_ns = 41 };
	tracelog_add(&log,
		     &(struct close_record){ .cookie = 9, .rport = 5000, .established_ns = 35 });
	tracelog_add(&log,
		     &(struct close_record){ .cookie = 8, .rport = 5000, .established_ns = 15 });
	/* of an earlier trial, and of a later one */
	tracelog_add(&log,
		     &(struct close_record){ .cookie = 7, .rport = 5000, .established_ns = 5 });
	tracelog_add(&log,
		     &(struct close_record){ .cookie = 6, .rport = 5001, .established_ns = 50 });
	tracelog_sort(&log);

	assert_int_equal(join_rows(rows, 4, &log, true, joined), 0);
	assert_int_equal(joined[0].trace->cookie, 8);
	assert_int_equal(joined[1].trace->cookie, 9);
	assert_null(joined[2].trace);
	assert_null(joined[3].trace);
	tracelog_free(&log);
	trial_rows_unmap(rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_meet_by_port_and_cookie),
		cmocka_unit_test(a_connection_nobody_accepted_has_no_server_row),
		cmocka_unit_test(the_next_connection_from_a_port_is_not_this_one),
		cmocka_unit_test(a_real_servers_connection_is_found_by_its_port_and_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
