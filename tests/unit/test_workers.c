/* SPDX-License-Identifier: MIT */
/* What the front knows of its shelves: books that balance whatever happens to one, who is sent more, who is alive. */
#include "lingerd/workers.c"
#include "lingerd/workers_books.c"
#include "lingerd/workers_talk.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <sys/wait.h>

static struct workers *workers;

static void publish(struct worker *worker, const struct report *report)
{
	ledger_publish(worker->ledger, report);
	worker_look(worker);
}

static int set_up(void **state)
{
	(void)state;
	workers = calloc(1, sizeof(*workers));
	*workers = (struct workers){ .count = 3, .room = 100, .credit = 32 };
	for (uint32_t i = 0; i < workers->count; i++) {
		assert_int_equal(open_books(&workers->list[i], 128), 0);
		workers->list[i].channel = dup(STDOUT_FILENO);
	}
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	workers_free(workers);
	return 0;
}

static void a_ledger_is_read_as_a_whole_or_not_at_all(void **state)
{
	struct ledger *ledger = workers->list[0].ledger;
	struct report written = { .received = 7 }, got = { .received = 1 };
	uint32_t version = 0;

	(void)state;
	assert_false(ledger_read(ledger, &version, &got)); /* nothing has been published */
	ledger_publish(ledger, &written);
	assert_true(ledger_read(ledger, &version, &got));
	assert_int_equal(got.received, 7);
	assert_false(ledger_read(ledger, &version, &got)); /* it is the same */
	written.received = 8;
	ledger_publish(ledger, &written);
	atomic_fetch_add(&ledger->version, 1); /* who was writing the next one has died */
	assert_false(ledger_read(ledger, &version, &got));
	assert_int_equal(got.received, 7);
}

/* All fields of a report are written to be alike. */
static void write_for_ever(struct ledger *ledger)
{
	static struct report report;

	for (uint64_t n = 1; n < 200000; n++) {
		report.received = report.heard = report.shed = report.oldest_ns = n;
		report.counters.lingers = report.counters.ended_fin = n;
		ledger_publish(ledger, &report);
	}
	_exit(0);
}

static void no_report_is_of_two_moments(void **state)
{
	struct ledger *ledger = workers->list[0].ledger;
	struct report got = { .received = 0 };
	uint32_t version = 0;
	pid_t writer = fork();

	(void)state;
	assert_true(writer >= 0);
	if (!writer)
		write_for_ever(ledger);
	while (got.received != 199999) {
		if (!ledger_read(ledger, &version, &got))
			continue;
		assert_int_equal(got.received, got.oldest_ns);
		assert_int_equal(got.received, got.counters.lingers);
		assert_int_equal(got.received, got.counters.ended_fin);
	}
	waitpid(writer, NULL, 0);
}

static uint64_t sum_of_all(struct counters *ret)
{
	*ret = (struct counters){ 0 };
	workers_add_counters(workers, ret);
	return ret->lingers + counters_sum(ret, COUNTER_END) + ret->passed_on;
}

static void what_is_on_its_way_is_in_the_sums(void **state)
{
	struct counters sums;

	(void)state;
	workers->list[0].sent = 10;
	assert_int_equal(sum_of_all(&sums), 10);
	assert_int_equal(sums.lingers, 10);
	publish(&workers->list[0],
		&(struct report){ .received = 6, .counters = { .lingers = 2, .ended_fin = 4 } });
	assert_int_equal(sum_of_all(&sums), 10);
	assert_int_equal(sums.lingers, 6);
	assert_int_equal(workers_lingers(workers), 6);
}

static void who_dies_takes_all_of_its_own_into_one_counter(void **state)
{
	struct worker *worker = &workers->list[1];
	struct counters sums;

	(void)state;
	worker->sent = 50;
	worker->sheds = 2;
	/* Its last word, which nobody has read yet. */
	ledger_publish(worker->ledger,
		       &(struct report){
			       .received = 40,
			       .counters = { .lingers = 15, .ended_fin = 20, .passed_on = 5 } });
	worker_bury(workers, worker);
	assert_int_equal(sum_of_all(&sums), 50);
	assert_int_equal(sums.lingers, 0);
	assert_int_equal(sums.ended_lost, 15 + 10);
	assert_int_equal(sums.ended_fin, 20);
	assert_int_equal(workers_lingers(workers), 0);
	assert_int_equal(workers_count(workers), 2);
	assert_int_equal(workers_room(workers), 200);
	assert_int_equal(takes(workers, worker), 0);
}

static void the_emptiest_gets_more_within_room_and_credit(void **state)
{
	struct worker *list = workers->list;

	(void)state;
	publish(&list[0], &(struct report){ .received = 90, .counters = { .lingers = 90 } });
	list[0].sent = 95;
	list[1].sent = 32;
	publish(&list[2], &(struct report){ .received = 50, .counters = { .lingers = 50 } });
	list[2].sent = 60;
	assert_int_equal(takes(workers, &list[0]), 5);	/* its room */
	assert_int_equal(takes(workers, &list[1]), 0);	/* it has read nothing yet */
	assert_int_equal(takes(workers, &list[2]), 22); /* its credit */
	assert_ptr_equal(emptiest(workers), &list[2]);
	list[2].sent = 82;
	assert_ptr_equal(emptiest(workers), &list[0]);
	list[0].sent = 100;
	assert_null(emptiest(workers));
}

static void who_is_late_or_does_not_listen_is_not_alive(void **state)
{
	uint64_t now = clock_now_ns();
	struct worker *worker = &workers->list[2];

	(void)state;
	assert_true(workers_alive(workers, now)); /* they sleep until there is work */
	atomic_store(&worker->ledger->due_ns, now);
	assert_true(workers_alive(workers, now + ALIVE_NS));
	assert_false(workers_alive(workers, now + ALIVE_NS + 1));
	atomic_store(&worker->ledger->due_ns, UINT64_MAX);
	note_said(worker);
	assert_true(workers_alive(workers, now)); /* which was before that */
	assert_false(workers_alive(workers, clock_now_ns() + ALIVE_NS + 1));
	publish(worker, &(struct report){ .heard = 1 });
	assert_true(workers_alive(workers, clock_now_ns() + ALIVE_NS + 1));
}

static void without_lingers_nobody_is_looked_at(void **state)
{
	(void)state;
	assert_int_equal(workers_next_ns(workers, true), UINT64_MAX);
	workers->list[0].sent = 1;
	assert_true(workers_next_ns(workers, false) < UINT64_MAX);
	publish(&workers->list[0],
		&(struct report){ .received = 1, .counters = { .ended_fin = 1 } });
	assert_int_equal(workers_next_ns(workers, true), UINT64_MAX);
}

static void users_are_found_wherever_their_place_is(void **state)
{
	struct users users = { .count = 2, .list = { { .uid = 33 }, { .uid = 1000 } } };
	struct report report = { .user_count = 2, .users = { { 1000, 5 }, { 33, 7 } } };

	(void)state;
	publish(&workers->list[0], &report);
	report.users[1].open = 1;
	publish(&workers->list[1], &report);
	workers_count_users(workers, &users);
	assert_int_equal(users.list[0].elsewhere, 8);
	assert_int_equal(users.list[1].elsewhere, 10);
}

#define WORKERS_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORKERS_TEST(a_ledger_is_read_as_a_whole_or_not_at_all),
		WORKERS_TEST(no_report_is_of_two_moments),
		WORKERS_TEST(what_is_on_its_way_is_in_the_sums),
		WORKERS_TEST(who_dies_takes_all_of_its_own_into_one_counter),
		WORKERS_TEST(the_emptiest_gets_more_within_room_and_credit),
		WORKERS_TEST(who_is_late_or_does_not_listen_is_not_alive),
		WORKERS_TEST(without_lingers_nobody_is_looked_at),
		WORKERS_TEST(users_are_found_wherever_their_place_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
