/* SPDX-License-Identifier: MIT */
/* How long a busy daemon rests: long enough for some handoffs, and never for more than a thread has room for. */
#include "lingerd/loop.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

enum { ROOM_OF_A_THREAD = 40 }; /* liblinger's queue, as its documents say */

/* What the rests come to where so many handoffs come in a second. */
static uint64_t rest_at(uint64_t per_second, uint32_t *ret_most)
{
	uint64_t rest_ns = REST_NS;

	*ret_most = 0;
	for (int round = 0; round < 100; round++) {
		uint32_t messages = (uint32_t)(per_second * rest_ns / NS_PER_S);

		if (messages > *ret_most)
			*ret_most = messages;
		rest_ns = next_rest_ns(rest_ns, messages);
	}
	return rest_ns;
}

static void few_handoffs_are_waited_for_longer(void **state)
{
	uint32_t most;

	(void)state;
	assert_int_equal(rest_at(100, &most), LONG_REST_NS);
	assert_int_equal(rest_at(2500, &most), LONG_REST_NS);
	assert_int_equal(rest_at(5000, &most), 2 * REST_NS);
	assert_int_equal(rest_at(20000, &most), REST_NS);
}

static void no_queue_gets_full_meanwhile(void **state)
{
	(void)state;
	for (uint64_t rate = 100; rate <= ROOM_OF_A_THREAD * 1000; rate += 100) {
		uint32_t most;

		rest_at(rate, &most);
		assert_true(most <= ROOM_OF_A_THREAD);
	}
}

static void a_sudden_load_is_noticed_within_two_rests(void **state)
{
	uint64_t rest_ns = LONG_REST_NS;

	(void)state;
	rest_ns = next_rest_ns(rest_ns, 100);
	rest_ns = next_rest_ns(rest_ns, 50);
	assert_int_equal(rest_ns, REST_NS);
	assert_int_equal(next_rest_ns(rest_ns, 1000), REST_NS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(few_handoffs_are_waited_for_longer),
		cmocka_unit_test(no_queue_gets_full_meanwhile),
		cmocka_unit_test(a_sudden_load_is_noticed_within_two_rests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
