/* SPDX-License-Identifier: MIT */
/* What the engine grants a user, a client and a peer, and whom it gives up when that is too much. */
#include "lingerd/engine.c"

#include "tests/unit/engine_world.h"

static void each_user_has_its_own_patience(void **state)
{
	struct world *world = *state;

	world->users.list[1].policy.idle_ns = NS_PER_S;
	world->users.list[2].policy.total_ns = 3 * NS_PER_S;
	world->users.list[2].policy.idle_ns = 5 * NS_PER_S;
	for (uint16_t user = 0; user < USERS; user++)
		take_of_user(world, user, user);
	for (int user = 0; user < USERS; user++)
		assert_int_equal(world->users.list[user].open, 1);
	expect_closed_after(world, 0.9, "");
	expect_closed_after(world, 0.1, "b");
	expect_closed_after(world, 1, "ab");
	expect_closed_after(world, 0.9, "ab");
	expect_closed_after(world, 0.1, "abc");
	for (int user = 0; user < USERS; user++)
		assert_int_equal(world->users.list[user].open, 0);
	assert_int_equal(world->counters.ended_total, 1);
}

static void who_sends_more_than_the_byte_cap_is_given_up(void **state)
{
	struct world *world = *state;
	struct linger_policy *policy = &world->users.list[0].policy;

	policy->byte_cap = 100;
	policy->give_up = GIVE_UP_RESET;
	SCRIPT(world, 0, 101);
	take(world, 0);
	assert_int_equal(world->sockets[0].closes, 1); /* never opened */
	SCRIPT(world, 1, 60);
	take(world, 1);
	SCRIPT(world, 1, 40);
	linger_engine_ready(world->engine, 1);
	assert_int_equal(world->sockets[1].closes, 0); /* exactly as much as is allowed */
	SCRIPT(world, 1, 1);
	linger_engine_ready(world->engine, 1);
	assert_int_equal(world->sockets[1].closes, 1);
	SCRIPT(world, 2, 500, 0);
	take(world, 2);
	assert_int_equal(world->counters.ended_fin, 1); /* over the cap, but at its end already */
	assert_int_equal(world->counters.ended_byte_cap, 2);
	assert_int_equal(world->sockets[0].given_up, GIVE_UP_RESET);
	assert_int_equal(world->sockets[1].given_up, GIVE_UP_RESET);
	assert_int_equal(world->sockets[2].given_up, GIVE_UP_CLOSE);
}

static void the_choice_at_the_deadline_is_for_who_is_given_up(void **state)
{
	struct world *world = *state;

	world->users.list[0].policy.give_up = GIVE_UP_FIN_WAIT_2;
	take(world, 0);
	take(world, 1);
	SCRIPT(world, 1, 0);
	linger_engine_ready(world->engine, 1);
	pass_time(world, 2);
	take(world, 2);
	linger_engine_end_all(world->engine, LINGER_COMMAND);
	assert_int_equal(world->sockets[0].given_up, GIVE_UP_FIN_WAIT_2);
	assert_int_equal(world->sockets[1].given_up, GIVE_UP_CLOSE);
	assert_int_equal(world->sockets[2].given_up, GIVE_UP_CLOSE);
	assert_int_equal(world->counters.ended_command, 1);
}

static void the_oldest_is_shed_first_whatever_its_deadline(void **state)
{
	struct world *world = *state;

	for (int fd = 0; fd < 4; fd++) {
		take_with(world, fd, 0, fd == 0 ? 0 : 500);
		pass_time(world, 0.05);
	}
	SCRIPT(world, 0, 5); /* a sign of life does not make it younger */
	linger_engine_ready(world->engine, 0);
	linger_engine_shed(world->engine);
	expect_closed_after(world, 0, "a");
	SCRIPT(world, 1, 0); /* what had come to its end is counted as that */
	linger_engine_shed(world->engine);
	expect_closed_after(world, 0, "ab");
	linger_engine_shed(world->engine);
	linger_engine_shed(world->engine);
	linger_engine_shed(world->engine); /* nothing is left */
	expect_closed_after(world, 0, "abcd");
	assert_int_equal(world->counters.ended_shed, 3);
	assert_int_equal(world->counters.ended_fin, 1);
	assert_int_equal(world->counters.lingers, 0);
}

static void a_client_has_its_share_and_no_more(void **state)
{
	struct world *world = *state;

	for (int fd = 0; fd < 8; fd++)
		world->sockets[fd].client = fd < 4 ? 7 : 8;
	linger_engine_limit_clients(world->engine, 2);
	for (int fd = 0; fd < 6; fd++)
		take(world, fd);
	expect_closed_after(world, 0, "cd");
	assert_int_equal(world->counters.ended_quota, 2);
	SCRIPT(world, 0, 0);
	linger_engine_ready(world->engine, 0);
	world->sockets[6].client = 7; /* there is room for one of it again */
	take(world, 6);
	take(world, 7);
	expect_closed_after(world, 0, "acdh");
	linger_engine_limit_clients(world->engine, POLICY_NO_LIMIT);
	world->sockets[8].client = 7;
	world->sockets[9].client = 7;
	take(world, 8);
	take(world, 9);
	expect_closed_after(world, 0, "acdh");
	linger_engine_end_all(world->engine, LINGER_SHUTDOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ENGINE_TEST(each_user_has_its_own_patience),
		ENGINE_TEST(who_sends_more_than_the_byte_cap_is_given_up),
		ENGINE_TEST(the_choice_at_the_deadline_is_for_who_is_given_up),
		ENGINE_TEST(the_oldest_is_shed_first_whatever_its_deadline),
		ENGINE_TEST(a_client_has_its_share_and_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
