/* SPDX-License-Identifier: MIT */
/* What callers of liblinger may ask for: of a client, and of one connection. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "common/clock.h"
#include "liblinger/linger.h"
#include "tests/support/lingerd.h"
#include "tests/support/tcp.h"

static const char *const patient[] = { "--idle-timeout", "60", "--total-timeout", "60", NULL };

static void options_of_other_versions(void **state)
{
	struct {
		struct linger_options known;
		int unknown;
	} later = { .known = LINGER_OPTIONS_INIT };
	struct linger_options options = LINGER_OPTIONS_INIT;
	struct linger_client *client;

	(void)state;
	assert_int_equal(linger_client_open(&client, "/nowhere/s"), 0);
	options.size--;
	assert_int_equal(linger_handoff_with(client, -1, &options), -EINVAL);
	later.known.size = sizeof(later);
	later.unknown = 1;
	assert_int_equal(linger_handoff_with(client, -1, &later.known), -E2BIG);
	later.unknown = 0;
	assert_int_equal(linger_handoff_with(client, -1, &later.known), -ENOENT);
	assert_int_equal(linger_handoff_with(client, -1, NULL), -ENOENT);
	linger_client_close(client);
}

static void options_of_clients_of_other_versions(void **state)
{
	struct linger_client_options options = LINGER_CLIENT_OPTIONS_INIT;
	struct linger_client *client;

	(void)state;
	options.size--;
	assert_int_equal(linger_client_open_with(&client, "/nowhere/s", &options), -EINVAL);
	options.size++;
	assert_int_equal(linger_client_open_with(&client, "", &options), -EINVAL);
	assert_int_equal(linger_client_open_with(&client, "/nowhere/s", &options), 0);
	linger_client_close(client);
}

/* How many handoffs a daemon that hangs swallows. */
static int swallowed(const struct lingerd *daemon, unsigned int threads)
{
	struct linger_client_options options = LINGER_CLIENT_OPTIONS_INIT;
	struct tcp_pair pair = tcp_pair_open();
	struct linger_client *client;
	int given = 0, error;

	options.threads = threads;
	assert_int_equal(linger_client_open_with(&client, daemon->socket, &options), 0);
	while (!(error = linger_handoff(client, pair.server)))
		assert_true(++given < 10000);
	assert_int_equal(error, -EAGAIN);
	linger_client_close(client);
	close(pair.server);
	close(pair.client);
	return given;
}

static void the_queue_grows_with_the_threads(void **state)
{
	struct lingerd daemon;
	int of_one, of_four;

	(void)state;
	lingerd_start(&daemon, patient);
	assert_int_equal(kill(daemon.process.pid, SIGSTOP), 0);
	of_one = swallowed(&daemon, 0);
	assert_in_range(of_one, 20, 100);
	of_four = swallowed(&daemon, 4);
	assert_in_range(of_four, 3 * of_one, 5 * of_one);
	/* No more than the kernel allows: more threads are no mistake. */
	assert_true(swallowed(&daemon, 1000000) >= of_four);
	assert_int_equal(kill(daemon.process.pid, SIGCONT), 0);
	lingerd_stop(&daemon);
}

static void each_connection_may_have_its_timeouts(void **state)
{
	struct tcp_pair pairs[3] = { tcp_pair_open(), tcp_pair_open(), tcp_pair_open() };
	struct linger_options options = LINGER_OPTIONS_INIT;
	struct linger_client *client;
	struct lingerd daemon;
	uint64_t began;

	(void)state;
	lingerd_start(&daemon, patient);
	assert_int_equal(linger_client_open(&client, daemon.socket), 0);
	began = clock_now_ns();
	assert_int_equal(linger_handoff_with(client, pairs[0].server, &options), 0);
	options.idle_timeout_ms = 300;
	assert_int_equal(linger_handoff_with(client, pairs[1].server, &options), 0);
	options.idle_timeout_ms = 0;
	options.total_timeout_ms = 700;
	assert_int_equal(linger_handoff_with(client, pairs[2].server, &options), 0);
	for (int i = 0; i < 3; i++)
		close(pairs[i].server);
	lingerd_expect(&daemon, "ended_idle", 1);
	assert_true(clock_now_ns() - began >= 300 * NS_PER_MS);
	lingerd_expect(&daemon, "ended_total", 1);
	assert_true(clock_now_ns() - began >= 700 * NS_PER_MS);
	assert_int_equal(lingerd_counter(&daemon, "lingers"), 1);
	for (int i = 0; i < 3; i++)
		close(pairs[i].client);
	lingerd_expect(&daemon, "ended_fin", 1);
	linger_client_close(client);
	lingerd_stop(&daemon);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_of_other_versions),
		cmocka_unit_test(options_of_clients_of_other_versions),
		cmocka_unit_test(each_connection_may_have_its_timeouts),
		cmocka_unit_test(the_queue_grows_with_the_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
