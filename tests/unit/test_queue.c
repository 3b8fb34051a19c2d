/* SPDX-License-Identifier: MIT */
/* Queues of indices: order, membership, two in one table, and a long random run against a model. */
#include "lingerd/queue.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdlib.h>

enum { SIZE = 64 };

static void expect_first(const struct queue *queue, uint32_t index)
{
	uint32_t first = UINT32_MAX;

	assert_true(queue_first(queue, &first));
	assert_int_equal(first, index);
}

static void members_come_in_order_of_arrival(void **state)
{
	struct queue_link links[SIZE] = { 0 };
	struct queue queue = { .links = links, .size = SIZE };
	uint32_t index = 77;

	(void)state;
	assert_false(queue_first(&queue, &index));
	assert_int_equal(index, 77);
	queue_add(&queue, 5);
	queue_add(&queue, 0); /* index 0 and the last one are members like others */
	queue_add(&queue, SIZE - 1);
	expect_first(&queue, 5);
	queue_move_to_end(&queue, 5);
	expect_first(&queue, 0);
	queue_remove(&queue, 0);
	expect_first(&queue, SIZE - 1);
	queue_remove(&queue, SIZE - 1);
	expect_first(&queue, 5);
	queue_remove(&queue, 5);
	assert_false(queue_first(&queue, &index));
}

static void membership_is_known_without_a_flag(void **state)
{
	struct queue_link links[SIZE] = { 0 };
	struct queue queue = { .links = links, .size = SIZE };

	(void)state;
	for (uint32_t i = 0; i < 3; i++) {
		assert_false(queue_has(&queue, i));
		queue_add(&queue, i);
		assert_true(queue_has(&queue, i));
	}
	queue_remove(&queue, 1); /* the middle, the end, the only one */
	queue_remove(&queue, 2);
	assert_true(queue_has(&queue, 0));
	assert_false(queue_has(&queue, 1));
	queue_remove(&queue, 0);
	assert_false(queue_has(&queue, 0));
	assert_false(queue_has(&queue, SIZE)); /* out of the table: no member */
}

static void queues_may_share_a_table(void **state)
{
	struct queue_link links[SIZE] = { 0 };
	struct queue one = { .links = links, .size = SIZE }, other = one;

	(void)state;
	for (uint32_t i = 0; i < SIZE; i++)
		queue_add(i % 2 ? &one : &other, i);
	for (uint32_t i = 0; i < SIZE; i++) {
		struct queue *queue = i % 2 ? &one : &other;

		expect_first(queue, i);
		queue_remove(queue, i);
	}
	assert_false(one.first || one.last || other.first || other.last);
}

static uint32_t oldest(const uint64_t *arrival)
{
	uint32_t found = UINT32_MAX;

	for (uint32_t i = 0; i < SIZE; i++)
		if (arrival[i] && (found == UINT32_MAX || arrival[i] < arrival[found]))
			found = i;
	return found;
}

static void a_random_run_agrees_with_a_plain_model(void **state)
{
	struct queue_link links[SIZE] = { 0 };
	struct queue queue = { .links = links, .size = SIZE };
	uint64_t arrival[SIZE] = { 0 }; /* 0: no member */

	(void)state;
	srandom(1);
	for (uint64_t step = 1; step < 100000; step++) {
		uint32_t index = (uint32_t)random() % SIZE, first;

		assert_int_equal(queue_has(&queue, index), arrival[index] != 0);
		if (!arrival[index]) {
			queue_add(&queue, index);
			arrival[index] = step;
		} else if (random() % 2) {
			queue_move_to_end(&queue, index);
			arrival[index] = step;
		} else {
			queue_remove(&queue, index);
			arrival[index] = 0;
		}
		if (oldest(arrival) == UINT32_MAX)
			assert_false(queue_first(&queue, &first));
		else
			expect_first(&queue, oldest(arrival));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_come_in_order_of_arrival),
		cmocka_unit_test(membership_is_known_without_a_flag),
		cmocka_unit_test(queues_may_share_a_table),
		cmocka_unit_test(a_random_run_agrees_with_a_plain_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
