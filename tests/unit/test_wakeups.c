/* SPDX-License-Identifier: MIT */
/* The heap must wake everybody once, in the order of time, whatever was set and taken back before. */
#include "lingerbench/wakeups.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <cmocka.h>

#include "lingerbench/random.h"

enum { SLOTS = 500, CHANGES = 20000 };

static void wakes_in_the_order_of_time(void **state)
{
	uint64_t wanted[SLOTS], random = 1, before = 0;
	struct wakeups wakeups;
	size_t waiting = 0;

	(void)state;
	assert_int_equal(wakeups_make(&wakeups, SLOTS), 0);
	for (size_t i = 0; i < SLOTS; i++)
		wanted[i] = WAKEUP_NEVER;
	for (size_t i = 0; i < CHANGES; i++) {
		size_t slot = random_next(&random) % SLOTS;
		uint64_t at = random_next(&random) % 1000;

		wanted[slot] = at < 300 ? WAKEUP_NEVER : at;
		wakeups_set(&wakeups, slot, wanted[slot]);
	}
	for (size_t i = 0; i < SLOTS; i++)
		waiting += wanted[i] != WAKEUP_NEVER;
	while (wakeups_first(&wakeups).at_ns != WAKEUP_NEVER) {
		struct wakeup first = wakeups_first(&wakeups);

		assert_int_equal(first.at_ns, wanted[first.slot]);
		assert_true(first.at_ns >= before);
		before = first.at_ns;
		wanted[first.slot] = WAKEUP_NEVER;
		wakeups_set(&wakeups, first.slot, WAKEUP_NEVER);
		waiting--;
	}
	assert_int_equal(waiting, 0);
	wakeups_free(&wakeups);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wakes_in_the_order_of_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
