/* SPDX-License-Identifier: MIT */
/* What operators may say: caps, quotas, the choice at the deadline, shedding, per user. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "liblinger/linger.h"
#include "tests/support/lingerd.h"
#include "tests/support/tcp.h"

static void hand_over(struct linger_client *client, int fd)
{
	assert_int_equal(linger_handoff(client, fd), 0);
	assert_int_equal(close(fd), 0);
}

static int error_of(int fd)
{
	socklen_t length = sizeof(int);
	int error = -1;

	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length), 0);
	return error;
}

/* The state that the kernel has for the server's side of a connection, as in /proc/net/tcp; 0: none. */
static unsigned int server_state(const struct tcp_pair *pair)
{
	FILE *file = fopen("/proc/net/tcp", "r");
	unsigned int local, remote, state, found = 0;
	char line[256];

	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, " %*d: %*x:%x %*x:%x %x", &local, &remote, &state) == 3 &&
		    local == pair->server_port && remote == pair->client_port)
			found = state;
	fclose(file);
	return found;
}

enum { STATE_FIN_WAIT_2 = 5 };

static bool is_gone(void *pair)
{
	return server_state(pair) == 0;
}

static void a_deadline_may_reset(void **state)
{
	static const char *const options[] = { "--idle-timeout", "0.2", "--at-deadline", "reset",
					       NULL };
	struct tcp_pair pair = tcp_pair_open();
	struct linger_client *client;
	struct lingerd daemon;

	(void)state;
	lingerd_start(&daemon, options);
	client = lingerd_open_client(&daemon);
	hand_over(client, pair.server);
	lingerd_expect(&daemon, "ended_idle", 1);
	assert_true(wait_until(is_gone, &pair, 30));
	assert_int_equal(error_of(pair.client), EPIPE); /* a reset after the FIN that it had */
	close(pair.client);
	linger_client_close(client);
	lingerd_stop(&daemon);
}

static void a_deadline_may_leave_it_to_the_kernel_for_a_while(void **state)
{
	static const char *const options[] = { "--idle-timeout", "0.2", "--at-deadline",
					       "fin-wait-2:2", NULL };
	struct tcp_pair pair = tcp_pair_open();
	struct linger_client *client;
	struct lingerd daemon;

	(void)state;
	lingerd_start(&daemon, options);
	client = lingerd_open_client(&daemon);
	hand_over(client, pair.server);
	lingerd_expect(&daemon, "ended_idle", 1);
	assert_int_equal(server_state(&pair), STATE_FIN_WAIT_2);
	/* By itself the kernel would keep it for tcp_fin_timeout, 60 s. */
	assert_true(wait_until(is_gone, &pair, 30));
	assert_int_equal(error_of(pair.client), 0);
	close(pair.client);
	linger_client_close(client);
	lingerd_stop(&daemon);
}

static void the_byte_cap_ends_a_flood(void **state)
{
	static const char *const options[] = { "--idle-timeout", "30", "--byte-cap", "1m", NULL };
	struct tcp_pair flood = tcp_pair_open(), modest = tcp_pair_open();
	struct linger_client *client;
	struct lingerd daemon;
	int error;

	(void)state;
	lingerd_start(&daemon, options);
	client = lingerd_open_client(&daemon);
	hand_over(client, flood.server);
	hand_over(client, modest.server);
	assert_int_equal(tcp_write(modest.client, 1 << 20), 0);
	do
		error = tcp_write(flood.client, 1 << 20);
	while (!error);
	assert_true(error == -ECONNRESET || error == -EPIPE);
	lingerd_expect(&daemon, "ended_byte_cap", 1);
	close(flood.client);
	close(modest.client);
	lingerd_expect(&daemon, "ended_fin", 1);
	linger_client_close(client);
	lingerd_stop(&daemon);
}

static void a_full_daemon_may_shed_the_oldest(void **state)
{
	enum { MOST = 8, MORE = 3 };
	static const char *const options[] = {
		"--idle-timeout", "30", "--max-connections", "8", "--when-full", "shed-oldest", NULL
	};
	struct linger_client *client;
	struct lingerd daemon;
	int clients[MOST + MORE];

	(void)state;
	lingerd_start(&daemon, options);
	client = lingerd_open_client(&daemon);
	for (int i = 0; i < MOST + MORE; i++) {
		struct tcp_pair pair = tcp_pair_open();

		clients[i] = pair.client;
		hand_over(client, pair.server);
	}
	lingerd_expect(&daemon, "handoffs", MOST + MORE);
	assert_int_equal(lingerd_counter(&daemon, "ended_shed"), MORE);
	assert_int_equal(lingerd_counter(&daemon, "lingers"), MOST);
	assert_int_equal(lingerd_counter(&daemon, "intake_pauses"), 0);
	for (int i = 0; i < MOST + MORE; i++)
		close(clients[i]);
	lingerd_expect(&daemon, "ended_fin", MOST);
	linger_client_close(client);
	lingerd_stop(&daemon);
}

static void a_user_has_a_quota(void **state)
{
	static const char *const options[] = { "--idle-timeout", "30", "--max-per-user", "2",
					       NULL };
	struct linger_client *client;
	struct lingerd daemon;
	int clients[3];

	(void)state;
	lingerd_start(&daemon, options);
	client = lingerd_open_client(&daemon);
	for (int i = 0; i < 3; i++) {
		struct tcp_pair pair = tcp_pair_open();

		clients[i] = pair.client;
		hand_over(client, pair.server);
	}
	lingerd_expect(&daemon, "user_pauses", 1);
	assert_int_equal(lingerd_counter(&daemon, "handoffs"), 2);
	close(clients[0]);
	close(clients[1]);
	lingerd_expect(&daemon, "handoffs", 3);
	close(clients[2]);
	lingerd_expect(&daemon, "ended_fin", 3);
	linger_client_close(client);
	lingerd_stop(&daemon);
}

static void a_client_address_has_a_quota(void **state)
{
	static const char *const options[] = { "--idle-timeout", "30", "--max-per-client", "2",
					       NULL };
	struct linger_client *client;
	struct lingerd daemon;
	int clients[4];

	(void)state;
	lingerd_start(&daemon, options);
	client = lingerd_open_client(&daemon);
	for (int i = 0; i < 4; i++) {
		struct tcp_pair pair = tcp_pair_open();

		clients[i] = pair.client;
		hand_over(client, pair.server);
		if (i == 2) { /* it was over the quota; now there is room again */
			lingerd_expect(&daemon, "ended_quota", 1);
			close(clients[0]);
			lingerd_expect(&daemon, "ended_fin", 1);
		}
	}
	lingerd_expect(&daemon, "handoffs", 4);
	assert_int_equal(lingerd_counter(&daemon, "lingers"), 2);
	for (int i = 1; i < 4; i++)
		close(clients[i]);
	lingerd_expect(&daemon, "ended_fin", 3);
	linger_client_close(client);
	lingerd_stop(&daemon);
}

static void a_user_has_deadlines_of_its_own(void **state)
{
	struct tcp_pair pair = tcp_pair_open();
	const char *options[] = { "--config", NULL, NULL };
	struct linger_client *client;
	struct lingerd daemon;
	char folder[256], path[300];
	FILE *file;

	(void)state;
	make_folder(folder);
	snprintf(path, sizeof(path), "%s/lingerd.conf", folder);
	file = fopen(path, "w");
	assert_non_null(file);
	fprintf(file,
		"[lingerd]\nidle-timeout = 1000\ntotal-timeout = 2000\n[user %u]\n"
		"idle-timeout = 0.2\n",
		geteuid());
	assert_int_equal(fclose(file), 0);
	options[1] = path;
	lingerd_start(&daemon, options);
	client = lingerd_open_client(&daemon);
	hand_over(client, pair.server);
	lingerd_expect(&daemon, "ended_idle", 1);
	close(pair.client);
	linger_client_close(client);
	lingerd_stop(&daemon);
	remove_folder(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_deadline_may_reset),
		cmocka_unit_test(a_deadline_may_leave_it_to_the_kernel_for_a_while),
		cmocka_unit_test(the_byte_cap_ends_a_flood),
		cmocka_unit_test(a_full_daemon_may_shed_the_oldest),
		cmocka_unit_test(a_user_has_a_quota),
		cmocka_unit_test(a_client_address_has_a_quota),
		cmocka_unit_test(a_user_has_deadlines_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
