/* SPDX-License-Identifier: MIT */
/* Scripts of peers: what is one, and what is refused with a reason. */
#include "lingerbench/peer.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void a_script_becomes_steps(void **state)
{
	struct peer peer;
	char error[256] = "";

	(void)state;
	assert_int_equal(peer_parse("slow", "post:200k upload:40x5k/1ms receive pause:2s reset",
				    &peer, error, sizeof(error)),
			 0);
	assert_string_equal(peer.name, "slow");
	assert_int_equal(peer.step_count, 5);
	assert_int_equal(peer.steps[0].kind, PEER_POST);
	assert_int_equal(peer.steps[0].bytes, 200 * 1024);
	assert_int_equal(peer.steps[1].kind, PEER_UPLOAD);
	assert_int_equal(peer.steps[1].count, 40);
	assert_int_equal(peer.steps[1].bytes, 5 * 1024);
	assert_int_equal(peer.steps[1].pause_ns, 1000000);
	assert_int_equal(peer.steps[2].kind, PEER_RECEIVE);
	assert_int_equal(peer.steps[3].kind, PEER_PAUSE);
	assert_int_equal(peer.steps[3].pause_ns, 2000000000);
	assert_int_equal(peer.steps[4].kind, PEER_RESET);
}

static void every_default_peer_is_a_script(void **state)
{
	struct peer peer;
	char error[256] = "";

	(void)state;
	for (const struct peer_default *entry = peer_defaults; entry->name; entry++)
		assert_int_equal(peer_parse(entry->name, entry->script, &peer, error,
					    sizeof(error)),
				 0);
}

static void wrong_scripts_are_refused_with_a_reason(void **state)
{
	static const char *const scripts[] = {
		"",
		"get",
		"get receive",
		"close get",
		"fly close",
		"get:1 close",
		"pause close",
		"pause:2 close",
		"pause:-1ms close",
		"post:x close",
		"upload:5k close",
		"upload:0x5k/1ms close",
		"upload:1x5k/ close",
		"get get get get get get get get get get get get get get get get close",
	};
	struct peer peer = { .step_count = 99 };

	(void)state;
	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
		char error[256] = "";

		assert_int_equal(peer_parse("p", scripts[i], &peer, error, sizeof(error)), -EINVAL);
		assert_true(*error);
	}
	assert_int_equal(peer.step_count, 99);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_script_becomes_steps),
		cmocka_unit_test(every_default_peer_is_a_script),
		cmocka_unit_test(wrong_scripts_are_refused_with_a_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
