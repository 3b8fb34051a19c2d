/* SPDX-License-Identifier: MIT */
/* Limits and quotas of one daemon of several processes: they are of all of it, whichever process a connection lingers in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "liblinger/linger.h"
#include "tests/support/group.h"
#include "tests/support/tcp.h"

/*
 * Hands over from the group's place first on, until the daemon is full; how many it has been given. A queue that is
 * full because the daemon has not come to it yet is no limit.
 */
static int hand_over_until_full(const struct lingerd *daemon, struct linger_client *client,
				int first, uint64_t full)
{
	uint64_t deadline = clock_now_ns() + 20 * NS_PER_S;
	int taken = 0;

	while (taken < 200) {
		struct tcp_pair pair = tcp_pair_open();
		int error = linger_handoff(client, pair.server);

		close(pair.server);
		if (!error) {
			group_pairs[first + taken++] = pair;
			continue;
		}
		close(pair.client);
		assert_int_equal(error, -EAGAIN);
		if (lingerd_counter(daemon, "lingers") + 1 >= full || clock_now_ns() > deadline)
			break;
		usleep(10000);
	}
	assert_true(taken < 200);
	return taken;
}

static void max_connections_is_of_all(void **state)
{
	static const char *const options[] = {
		"--workers", "8", "--idle-timeout", "300", "--max-connections", "300", NULL
	};
	struct linger_client *client;
	struct lingerd daemon;
	struct group group;
	int taken;

	(void)state;
	group_start(&group, &daemon, options);
	assert_int_equal(lingerd_counter(&daemon, "max_connections"), 300);
	group_hand_over(&daemon, 0, 250);
	client = lingerd_open_client(&daemon);
	taken = hand_over_until_full(&daemon, client, 250, 300);
	usleep(200000);
	assert_in_range(lingerd_counter(&daemon, "lingers"), 299, 301);
	group_close_clients(250);
	/* What was in the sender's queue is taken, too. */
	lingerd_expect(&daemon, "handoffs", 250 + (uint64_t)taken);
	for (int i = 0; i < taken; i++)
		close(group_pairs[250 + i].client);
	lingerd_expect(&daemon, "lingers", 0);
	linger_client_close(client);
	group_stop(&group, &daemon);
}

/* Fewer connections than processes: those that are moved do not make room for more. */
static void max_connections_may_be_fewer_than_workers(void **state)
{
	static const char *const options[] = {
		"--workers", "4", "--idle-timeout", "300", "--max-connections", "2", NULL
	};
	struct linger_client *client;
	struct lingerd daemon;
	struct group group;
	int taken;

	(void)state;
	group_start(&group, &daemon, options);
	client = lingerd_open_client(&daemon);
	taken = hand_over_until_full(&daemon, client, 0, 3);
	usleep(200000);
	assert_in_range(lingerd_counter(&daemon, "lingers"), 1, 3);
	for (int i = 0; i < taken; i++)
		close(group_pairs[i].client);
	lingerd_expect(&daemon, "ended_fin", (uint64_t)taken);
	linger_client_close(client);
	group_stop(&group, &daemon);
}

static void the_quota_of_a_user_is_of_all(void **state)
{
	static const char *const options[] = {
		"--workers", "8", "--idle-timeout", "300", "--max-per-user", "400", NULL
	};
	struct linger_client *client;
	struct lingerd daemon;
	struct group group;
	int taken = 0;

	(void)state;
	group_start(&group, &daemon, options);
	group_hand_over(&daemon, 0, 390);
	usleep(200000);
	client = lingerd_open_client(&daemon);
	for (; taken < 200; taken++) {
		struct tcp_pair pair = tcp_pair_open();
		int error = linger_handoff(client, pair.server);

		close(pair.server);
		group_pairs[390 + taken] = pair;
		if (error)
			break;
	}
	usleep(200000);
	assert_in_range(lingerd_counter(&daemon, "lingers"), 400, 400 + 40);
	assert_in_range(lingerd_counter(&daemon, "user_pauses"), 1, 1000);
	group_close_clients(390);
	for (int i = 0; i <= taken; i++)
		close(group_pairs[390 + i].client);
	lingerd_expect(&daemon, "lingers", 0);
	linger_client_close(client);
	group_stop(&group, &daemon);
}

static void the_oldest_of_all_is_shed(void **state)
{
	static const char *const options[] = {
		"--workers", "8",	    "--idle-timeout", "300", "--max-connections",
		"300",	     "--when-full", "shed-oldest",    NULL
	};
	struct lingerd daemon;
	struct group group;
	uint64_t shed;
	int old = 0, young = 0;

	(void)state;
	group_start(&group, &daemon, options);
	group_hand_over(&daemon, 0, GROUP_LINGERS);
	usleep(200000);
	shed = lingerd_counter(&daemon, "ended_shed");
	assert_in_range(shed, GROUP_LINGERS - 300 - 2, GROUP_LINGERS - 300 + 2);
	assert_in_range(lingerd_counter(&daemon, "lingers"), 298, 302);
	/* Whoever was given up answers what comes now with a reset. */
	for (int i = 0; i < GROUP_LINGERS; i++) {
		int *ended = i < GROUP_LINGERS / 2 ? &old : &young;
		char byte;

		send(group_pairs[i].client, "x", 1, MSG_NOSIGNAL);
		usleep(10);
		send(group_pairs[i].client, "x", 1, MSG_NOSIGNAL);
		if (recv(group_pairs[i].client, &byte, 1, 0) < 0 ||
		    send(group_pairs[i].client, "x", 1, MSG_NOSIGNAL) < 0)
			++*ended;
	}
	assert_in_range(old, GROUP_LINGERS / 2 * 8 / 10, GROUP_LINGERS / 2);
	assert_in_range(young, 0, GROUP_LINGERS / 2 * 2 / 10);
	group_close_clients(GROUP_LINGERS);
	lingerd_expect(&daemon, "lingers", 0);
	group_stop(&group, &daemon);
}

static void the_quota_of_a_client_is_of_all(void **state)
{
	static const char *const options[] = {
		"--workers", "8", "--idle-timeout", "300", "--max-per-client", "400", NULL
	};
	struct lingerd daemon;
	struct group group;

	(void)state;
	group_start(&group, &daemon, options);
	group_hand_over(&daemon, 0, 390);
	usleep(200000);
	group_hand_over(&daemon, 390, 200);
	/* But for what was on its way at that moment. */
	assert_in_range(lingerd_counter(&daemon, "lingers"), 400, 400 + 32);
	assert_in_range(lingerd_counter(&daemon, "ended_quota"), 190 - 32, 190);
	group_close_clients(390 + 200);
	lingerd_expect(&daemon, "lingers", 0);
	/* And all of it is free again. */
	group_hand_over(&daemon, 0, 390);
	assert_int_equal(lingerd_counter(&daemon, "lingers"), 390);
	group_close_clients(390);
	group_stop(&group, &daemon);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(max_connections_is_of_all),
		cmocka_unit_test(max_connections_may_be_fewer_than_workers),
		cmocka_unit_test(the_quota_of_a_user_is_of_all),
		cmocka_unit_test(the_oldest_of_all_is_shed),
		cmocka_unit_test(the_quota_of_a_client_is_of_all),
	};

	return cmocka_run_group_tests(tests, group_raise_limit, NULL);
}
