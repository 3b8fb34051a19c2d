/* SPDX-License-Identifier: MIT */
/* The endpoint for metrics, where it could be in the way: descriptors, hung scrapers, takeovers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "liblinger/linger.h"
#include "liblinger/protocol.h"
#include "tests/support/lingerd.h"
#include "tests/support/tcp.h"

enum { FEW = 64, ANSWER_SIZE = 1 << 16 };

static const char *const few_fds[] = { "/bin/sh", "-c", "ulimit -n 64; exec \"$@\"", "sh", NULL };

/* A place on loopback that nobody listens on, and its port. */
static uint16_t free_place(char text[32])
{
	uint16_t port = tcp_free_port();

	snprintf(text, 32, "127.0.0.1:%u", port);
	return port;
}

/* One scrape from beginning to end; the value of a metric in it, -1 if there is none. */
static long scrape(uint16_t port, const char *metric)
{
	static const char request[] =
		"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
	static const struct timeval patience = { .tv_sec = 30 };
	static char answer[ANSWER_SIZE];
	size_t used = 0, name = strlen(metric);
	int fd = tcp_connect(port);
	const char *found = answer;
	ssize_t n;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
	while ((n = recv(fd, answer + used, sizeof(answer) - 1 - used, 0)) > 0)
		used += (size_t)n;
	assert_int_equal(n, 0);
	answer[used] = '\0';
	close(fd);
	assert_non_null(strstr(answer, "# EOF\n"));
	while ((found = strstr(found + 1, metric)))
		if (found[-1] == '\n' && found[name] == ' ')
			return strtol(found + name, NULL, 10);
	return -1;
}

/* Clients of the endpoint that hang, each in its way. */
static void hang(uint16_t port, int *fds, int count)
{
	static const char *const said[] = { "", "GET /met",
					    "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" };

	for (int i = 0; i < count; i++) {
		fds[i] = tcp_connect(port);
		for (int times = 0; times < 20; times++)
			send(fds[i], said[i % 3], strlen(said[i % 3]), MSG_NOSIGNAL | MSG_DONTWAIT);
	}
}

static void hung_up(int *fds, int count)
{
	for (int i = 0; i < count; i++)
		close(fds[i]);
}

static void scrapers_never_cost_a_descriptor_that_comes(void **state)
{
	enum { SCRAPERS = 40, HANDOFFS = 100 };
	static int scrapers[SCRAPERS], clients[HANDOFFS];
	const char *options[] = { "--metrics", NULL, "--idle-timeout", "120", "--total-timeout",
				  "120",       NULL };
	struct linger_client *client;
	int taken = 0, senders[FEW];
	struct lingerd daemon;
	char place[32];
	uint64_t most;
	uint16_t port;

	(void)state;
	port = free_place(place);
	options[1] = place;
	lingerd_start_under(&daemon, few_fds, options);
	most = lingerd_counter(&daemon, "max_connections");
	assert_in_range(most, 5, FEW / 2);
	hang(port, scrapers, SCRAPERS);
	for (int i = 0; i < FEW / 4; i++) /* and as many senders as there may be */
		senders[i] = sender_connect(&daemon);
	assert_int_equal(linger_client_open(&client, daemon.socket), 0);
	for (int i = 0; i < HANDOFFS; i++) {
		struct tcp_pair pair = tcp_pair_open();
		int error = linger_handoff(client, pair.server);

		assert_true(error == 0 || error == -EAGAIN);
		close(pair.server);
		if (!error)
			clients[taken++] = pair.client;
		else
			close(pair.client);
	}
	assert_true((uint64_t)taken > most);
	lingerd_expect(&daemon, "lingers", most);
	assert_true(process_fd_count(daemon.process.pid) <= FEW);
	assert_true(scrape(port, "lingerd_fd_headroom") >= 0); /* the hung ones are dropped */
	hung_up(scrapers, SCRAPERS);
	for (int i = 0; i < taken; i++)
		close(clients[i]);
	lingerd_expect(&daemon, "ended_fin", (uint64_t)taken);
	assert_int_equal(lingerd_counter(&daemon, "handoffs"), taken);
	assert_int_equal(lingerd_counter(&daemon, "refused_truncated"), 0);
	hung_up(senders, FEW / 4);
	linger_client_close(client);
	lingerd_expect_idle_fds(&daemon);
	lingerd_stop(&daemon);
}

static void who_waits_for_a_place_gets_one(void **state)
{
	enum { SCRAPERS = 50 };
	const char *options[] = { "--metrics", NULL, NULL };
	static int scrapers[SCRAPERS];
	struct lingerd daemon;
	uint64_t began;
	char place[32];
	uint16_t port;

	(void)state;
	port = free_place(place);
	options[1] = place;
	lingerd_start(&daemon, options);
	hang(port, scrapers, SCRAPERS);
	hung_up(scrapers,
		SCRAPERS); /* no event but their ends, and nobody else has anything to do */
	began = clock_now_ns();
	assert_int_equal(scrape(port, "lingerd_handoffs_total"), 0);
	assert_true(clock_now_ns() - began <
		    4 * NS_PER_S); /* less than the patience with one that hangs */
	lingerd_expect_idle_fds(&daemon);
	lingerd_stop(&daemon);
}

static void an_idle_daemon_with_metrics_sleeps(void **state)
{
	const char *options[] = { "--metrics", NULL, NULL };
	struct lingerd daemon;
	char place[32];
	uint16_t port;
	long rounds;

	(void)state;
	port = free_place(place);
	options[1] = place;
	lingerd_start(&daemon, options);
	scrape(port, "lingerd_round_seconds_count");
	usleep(1500 * 1000); /* its last client is forgotten by now */
	rounds = scrape(port, "lingerd_round_seconds_count");
	usleep(3000 * 1000);
	assert_in_range(scrape(port, "lingerd_round_seconds_count") - rounds, 1, 12);
	lingerd_stop(&daemon);
}

/* A daemon with these options, one connection that lingers there, and the next process with those. */
static struct tcp_pair start_two(struct lingerd *daemon, const char *const first[],
				 const char *const next[])
{
	struct linger_client *client;
	struct tcp_pair pair;

	lingerd_start(daemon, first);
	assert_int_equal(linger_client_open(&client, daemon->socket), 0);
	pair = lingerd_hand_over(client);
	linger_client_close(client);
	lingerd_expect(daemon, "lingers", 1);
	lingerd_take_over(daemon, "second", next);
	lingerd_expect(daemon, "restored", 1);
	return pair;
}

static void the_next_process_has_the_endpoint(void **state)
{
	const char *options[] = { "--metrics", NULL, "--idle-timeout", "60", NULL };
	struct lingerd daemon;
	struct tcp_pair pair;
	char place[32];
	uint16_t port;

	(void)state;
	port = free_place(place);
	options[1] = place;
	pair = start_two(&daemon, options, options);
	assert_int_equal(scrape(port, "lingerd_restored_total"), 1);
	assert_int_equal(scrape(port, "lingerd_handoffs_total"), 0);
	close(pair.client);
	lingerd_expect(&daemon, "ended_fin", 1);
	assert_int_equal(scrape(port, "lingerd_fin_seconds_count"), 1);
	lingerd_stop(&daemon);
}

static bool listens(void *port)
{
	const struct sockaddr_in address = { .sin_family = AF_INET,
					     .sin_port = htons(*(uint16_t *)port),
					     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool connected = !connect(fd, (const struct sockaddr *)&address, sizeof(address));

	close(fd);
	return connected;
}

/* Its own place is taken; what lingers is worth more than metrics. */
static void a_next_process_without_its_place_goes_on(void **state)
{
	static const char *const without[] = { "--idle-timeout", "60", NULL };
	const char *with[] = { "--metrics", NULL, NULL };
	struct lingerd daemon;
	struct tcp_pair pair;
	char place[32];
	uint16_t port;
	int listener;

	(void)state;
	listener = tcp_listen(0, &port);
	snprintf(place, sizeof(place), "127.0.0.1:%u", port);
	with[1] = place;
	pair = start_two(&daemon, without, with);
	assert_true(file_contains(daemon.process.err, "another process listens there"));
	close(pair.client);
	lingerd_expect(&daemon, "ended_fin", 1);
	close(listener);
	assert_true(wait_until(listens, &port, 30)); /* it has tried again */
	lingerd_stop(&daemon);
}

static bool has_given_up(void *daemon)
{
	return file_contains(((const struct lingerd *)daemon)->process.err,
			     "has not taken over, going on");
}

/* Who asked to take over is gone: the endpoint that was closed for it is there again. */
static void who_asks_and_leaves_does_not_take_the_endpoint_away(void **state)
{
	const struct linger_message question = {
		.magic = LINGER_PROTOCOL_MAGIC,
		.version = LINGER_PROTOCOL_VERSION,
		.size = sizeof(question),
		.type = LINGER_MESSAGE_TAKE_OVER,
	};
	const char *options[] = { "--metrics", NULL, NULL };
	struct lingerd daemon;
	char place[32];
	uint16_t port;
	int asker;

	(void)state;
	port = free_place(place);
	options[1] = place;
	lingerd_start(&daemon, options);
	assert_int_equal(kill(daemon.process.pid, SIGSTOP), 0);
	asker = sender_connect(&daemon);
	sender_send(asker, &question, sizeof(question), NULL, 0);
	close(asker);
	assert_int_equal(kill(daemon.process.pid, SIGCONT), 0);
	/* By then, what listened before does not any more. */
	assert_true(wait_until(has_given_up, &daemon, 30));
	assert_true(wait_until(listens, &port, 30));
	assert_int_equal(scrape(port, "lingerd_commands_total"), 1);
	lingerd_stop(&daemon);
}

/* The load of a flood of scrapes costs handoffs neither their success nor much of their time. */
static void a_flood_of_scrapes_delays_handoffs_little(void **state)
{
	enum { SCRAPERS = 16, HANDOFFS = 500 };
	static const char request[] = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";
	const char *options[] = { "--metrics", NULL, NULL };
	static char sink[ANSWER_SIZE];
	int scrapers[SCRAPERS];
	struct linger_client *client;
	struct lingerd daemon;
	uint64_t began, longest = 0;
	char place[32];
	uint16_t port;
	long scrapes = 0;

	(void)state;
	port = free_place(place);
	options[1] = place;
	lingerd_start(&daemon, options);
	for (int i = 0; i < SCRAPERS; i++)
		scrapers[i] = tcp_connect(port);
	assert_int_equal(linger_client_open(&client, daemon.socket), 0);
	for (int i = 0; i < HANDOFFS; i++) {
		struct tcp_pair pair = tcp_pair_open();
		uint64_t took;

		for (int j = 0; j < SCRAPERS; j++) { /* each always has another request under way */
			send(scrapers[j], request, strlen(request), MSG_NOSIGNAL | MSG_DONTWAIT);
			scrapes += recv(scrapers[j], sink, sizeof(sink), MSG_DONTWAIT) > 0;
		}
		assert_int_equal(linger_handoff(client, pair.server), 0);
		close(pair.server);
		began = clock_now_ns();
		close(pair.client);
		lingerd_expect(&daemon, "ended_fin", (uint64_t)i + 1);
		took = clock_now_ns() - began;
		if (took > longest)
			longest = took;
	}
	print_message("# %ld scrapes, the longest handoff took %.1f ms\n", scrapes,
		      (double)longest / NS_PER_MS);
	assert_true(scrapes > HANDOFFS);
	assert_true(longest < 2 * NS_PER_S);
	hung_up(scrapers, SCRAPERS);
	linger_client_close(client);
	lingerd_stop(&daemon);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scrapers_never_cost_a_descriptor_that_comes),
		cmocka_unit_test(who_waits_for_a_place_gets_one),
		cmocka_unit_test(an_idle_daemon_with_metrics_sleeps),
		cmocka_unit_test(the_next_process_has_the_endpoint),
		cmocka_unit_test(a_next_process_without_its_place_goes_on),
		cmocka_unit_test(who_asks_and_leaves_does_not_take_the_endpoint_away),
		cmocka_unit_test(a_flood_of_scrapes_delays_handoffs_little),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
