/* SPDX-License-Identifier: MIT */
/* The engine where the kernel drains for it: what it counts, and what it does when the kernel cannot. */
#include "lingerd/engine.c"

#include "tests/unit/engine_world.h"

static void take_unclosed(struct world *world, int fd)
{
	const struct handoff handoff = { .half_closed = false };

	world->sockets[fd].held = true;
	linger_engine_take(world->engine, fd, &handoff);
}

static void what_the_kernel_throws_away_is_counted_and_a_sign_of_life(void **state)
{
	struct world *world = *state;
	struct fake_socket *socket = &world->sockets[1];

	socket->kernel_takes = true;
	socket->received = UINT32_MAX - 10; /* its count goes round */
	take_unclosed(world, 1);
	assert_true(socket->in_kernel && socket->half_closed && socket->watched);
	for (int i = 0; i < 10; i++) {
		socket->received += 100;
		pass_time(world, 1);
	}
	assert_int_equal(world->counters.ended_idle, 0);
	assert_int_equal(world->counters.kernel_drained_bytes, 1000);
	socket->received += 51; /* and its FIN */
	SCRIPT(world, 1, 0);
	linger_engine_ready(world->engine, 1);
	assert_int_equal(world->counters.ended_fin, 1);
	assert_int_equal(world->counters.kernel_drained_bytes, 1050);
	assert_int_equal(world->counters.drained_bytes, 1050);
	assert_int_equal(world->counters.in_kernel, 1);
}

static void the_kernel_drains_neither_silence_nor_floods_for_ever(void **state)
{
	struct world *world = *state;

	world->users.list[0].policy.byte_cap = 5000;
	for (int fd = 1; fd <= 2; fd++) {
		world->sockets[fd].kernel_takes = true;
		take_unclosed(world, fd);
	}
	world->sockets[2].received += 5001;
	pass_time(world, 0.5);
	assert_int_equal(world->counters.ended_byte_cap, 1);
	pass_time(world, 1.5);
	assert_int_equal(world->counters.ended_idle, 1);
}

static void what_the_kernel_does_not_take_is_read(void **state)
{
	struct world *world = *state;
	struct fake_socket *socket = &world->sockets[1];

	take_unclosed(world, 1);
	assert_true(socket->half_closed && socket->watched && !socket->in_kernel);
	socket->received += 100; /* nobody asks */
	SCRIPT(world, 1, 100, 0);
	linger_engine_ready(world->engine, 1);
	assert_int_equal(world->counters.drained_bytes, 100);
	assert_int_equal(world->counters.in_kernel + world->counters.kernel_drained_bytes, 0);
}

static void the_kernel_goes_on_for_the_next_process(void **state)
{
	struct world *world = *state;
	struct fake_socket *socket = &world->sockets[1];
	struct linger_record record;
	int fd;

	socket->kernel_takes = true;
	take_unclosed(world, 1);
	socket->received += 10;
	assert_true(linger_engine_release(world->engine, &fd, &record));
	socket->received += 20;
	linger_engine_adopt(world->engine, fd, &record);
	pass_time(world, 1);
	assert_int_equal(world->counters.kernel_drained_bytes, 30);
	assert_int_equal(world->sockets[1].closes, 0);
	linger_engine_end_all(world->engine, LINGER_SHUTDOWN);
}

static void what_the_kernel_drains_no_more_is_read(void **state)
{
	struct world *world = *state;
	struct fake_socket *socket = &world->sockets[1];

	socket->kernel_takes = true;
	take_unclosed(world, 1);
	socket->received += 300;
	socket->unread = 100;
	socket->in_kernel = false; /* its table is gone: it has to be watched for data now */
	pass_time(world, 0.5);
	assert_int_equal(world->counters.kernel_drained_bytes, 200);
	socket->unread = 0;
	SCRIPT(world, 1, 100, 0);
	linger_engine_ready(world->engine, 1);
	assert_int_equal(world->counters.drained_bytes, 300);
	assert_int_equal(world->counters.ended_fin, 1);
}

static void a_count_that_goes_back_is_none(void **state)
{
	struct world *world = *state;
	struct fake_socket *socket = &world->sockets[1];

	socket->kernel_takes = true;
	socket->received = 1000;
	take_unclosed(world, 1);
	socket->received = 0;
	pass_time(world, 0.5);
	assert_int_equal(world->counters.drained_bytes, 0);
	linger_engine_end_all(world->engine, LINGER_SHUTDOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ENGINE_TEST(what_the_kernel_throws_away_is_counted_and_a_sign_of_life),
		ENGINE_TEST(the_kernel_drains_neither_silence_nor_floods_for_ever),
		ENGINE_TEST(what_the_kernel_does_not_take_is_read),
		ENGINE_TEST(the_kernel_goes_on_for_the_next_process),
		ENGINE_TEST(what_the_kernel_drains_no_more_is_read),
		ENGINE_TEST(a_count_that_goes_back_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
