/* SPDX-License-Identifier: MIT */
/* Deadline queues: order, restarts, changed timeouts, and a long random run against a plain model.
 */
#include "lingerd/deadline.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

enum { SIZE = 64 };

static void expect_first(const struct deadline_queue *queue, uint32_t index, uint64_t at_ns)
{
	uint32_t first = UINT32_MAX;
	uint64_t at = UINT64_MAX;

	assert_true(deadline_first(queue, &first, &at));
	assert_int_equal(first, index);
	assert_int_equal(at, at_ns);
}

static void members_expire_in_order_of_arrival(void **state)
{
	struct deadline_queue queue = { 0 };
	uint32_t index = 77;
	uint64_t at = 77;

	(void)state;
	assert_int_equal(deadline_queue_init(&queue, SIZE, 100), 0);
	assert_false(deadline_first(&queue, &index, &at));
	assert_int_equal(index, 77);
	assert_int_equal(at, 77);
	deadline_add(&queue, 5, 10);
	deadline_add(&queue, 0, 20); /* index 0 and the last one are members like others */
	deadline_add(&queue, SIZE - 1, 20);
	expect_first(&queue, 5, 110);
	deadline_restart(&queue, 5, 30);
	expect_first(&queue, 0, 120);
	deadline_remove(&queue, 0);
	expect_first(&queue, SIZE - 1, 120);
	deadline_remove(&queue, SIZE - 1);
	expect_first(&queue, 5, 130);
	deadline_remove(&queue, 5);
	assert_false(deadline_first(&queue, &index, &at));
	deadline_queue_free(&queue);
}

static void membership_is_known_without_a_flag(void **state)
{
	struct deadline_queue queue = { 0 };

	(void)state;
	assert_int_equal(deadline_queue_init(&queue, SIZE, 1), 0);
	for (uint32_t i = 0; i < 3; i++) {
		assert_false(deadline_queued(&queue, i));
		deadline_add(&queue, i, i);
		assert_true(deadline_queued(&queue, i));
	}
	deadline_remove(&queue, 1); /* the middle, the end, the only one */
	deadline_remove(&queue, 2);
	assert_true(deadline_queued(&queue, 0));
	assert_false(deadline_queued(&queue, 1));
	deadline_remove(&queue, 0);
	assert_false(deadline_queued(&queue, 0));
	assert_false(deadline_queued(&queue, SIZE)); /* out of the table: no member */
	deadline_queue_free(&queue);
}

static void a_changed_timeout_holds_for_members_too(void **state)
{
	struct deadline_queue queue = { 0 };

	(void)state;
	assert_int_equal(deadline_queue_init(&queue, SIZE, 100), 0);
	deadline_add(&queue, 1, 10);
	queue.timeout_ns = 5;
	expect_first(&queue, 1, 15);
	deadline_add(&queue, 2, 12);
	expect_first(&queue, 1, 15);
	deadline_queue_free(&queue);
}

/* The model: when each member came, and a number that breaks ties in order of arrival. */
struct model {
	uint64_t since[SIZE];
	uint64_t arrival[SIZE]; /* 0: no member */
	uint64_t arrivals;
};

static uint32_t oldest(const struct model *model)
{
	uint32_t found = UINT32_MAX;

	for (uint32_t i = 0; i < SIZE; i++)
		if (model->arrival[i] &&
		    (found == UINT32_MAX || model->arrival[i] < model->arrival[found]))
			found = i;
	return found;
}

static void random_step(struct deadline_queue *queue, struct model *model, uint64_t now)
{
	uint32_t index = (uint32_t)random() % SIZE;

	assert_int_equal(deadline_queued(queue, index), model->arrival[index] != 0);
	if (!model->arrival[index]) {
		deadline_add(queue, index, now);
	} else if (random() % 2) {
		deadline_restart(queue, index, now);
	} else {
		deadline_remove(queue, index);
		model->arrival[index] = 0;
		return;
	}
	model->since[index] = now;
	model->arrival[index] = ++model->arrivals;
}

static void a_random_run_agrees_with_a_plain_model(void **state)
{
	struct deadline_queue queue = { 0 };
	struct model model = { 0 };
	uint64_t now = 0;

	(void)state;
	srandom(1);
	assert_int_equal(deadline_queue_init(&queue, SIZE, 1000), 0);
	for (int step = 0; step < 100000; step++) {
		uint32_t first;
		uint64_t at;

		now += (uint64_t)random() % 3;
		random_step(&queue, &model, now);
		if (oldest(&model) == UINT32_MAX)
			assert_false(deadline_first(&queue, &first, &at));
		else
			expect_first(&queue, oldest(&model), model.since[oldest(&model)] + 1000);
	}
	deadline_queue_free(&queue);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_expire_in_order_of_arrival),
		cmocka_unit_test(membership_is_known_without_a_flag),
		cmocka_unit_test(a_changed_timeout_holds_for_members_too),
		cmocka_unit_test(a_random_run_agrees_with_a_plain_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
