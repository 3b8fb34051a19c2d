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
	assert_true(peer_looks_for_end(&peer));
}

static void a_reader_has_a_window_and_pauses(void **state)
{
	struct peer peer;
	char error[256] = "";

	(void)state;
	assert_int_equal(peer_parse("slow", "window:16k get read:50x4k/20ms vanish reset", &peer,
				    error, sizeof(error)),
			 0);
	assert_int_equal(peer.step_count, 5);
	assert_int_equal(peer.steps[0].kind, PEER_WINDOW);
	assert_int_equal(peer.steps[0].bytes, 16 * 1024);
	assert_int_equal(peer.steps[2].kind, PEER_READ);
	assert_int_equal(peer.steps[2].count, 50);
	assert_int_equal(peer.steps[2].bytes, 4096);
	assert_int_equal(peer.steps[2].pause_ns, 20000000);
	assert_int_equal(peer.steps[3].kind, PEER_VANISH);
	assert_false(peer_looks_for_end(&peer));
}

static void every_misbehaviour_has_a_default_peer(void **state)
{
	static const char *const names[] = { "prompt",	  "late",	 "silent", "uploader",
					     "pipeliner", "half-closer", "killer", "slow-reader",
					     "trickler",  "vanished" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct peer_default *entry = peer_defaults;

		while (entry->name && strcmp(entry->name, names[i]))
			entry++;
		assert_non_null(entry->name);
	}
}

static void the_reason_says_where_a_step_belongs(void **state)
{
	struct peer peer;
	char error[256] = "";

	(void)state;
	peer_parse("p", "get window:16k receive close", &peer, error, sizeof(error));
	assert_string_equal(error, "\"window:16k\" is not the first step");
	peer_parse("p", "get vanish pause:1s close", &peer, error, sizeof(error));
	assert_string_equal(error, "after vanish a script ends with reset");
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
		"window close",
		"window:0 get close",
		"window:much get close",
		"get window:16k close",
		"window:16k window:16k get close",
		"get read close",
		"get read:4k close",
		"get read:0x4k/1ms close",
		"get vanish:1s reset",
		"get vanish close",
		"get vanish",
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
		cmocka_unit_test(a_reader_has_a_window_and_pauses),
		cmocka_unit_test(every_misbehaviour_has_a_default_peer),
		cmocka_unit_test(the_reason_says_where_a_step_belongs),
		cmocka_unit_test(every_default_peer_is_a_script),
		cmocka_unit_test(wrong_scripts_are_refused_with_a_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
