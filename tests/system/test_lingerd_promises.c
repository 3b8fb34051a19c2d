/* SPDX-License-Identifier: MIT */
/*
 * What an operator relies on, at full size: deadlines of ten thousand silent peers, upgrades under load, and a peer that
 * floods. The daemon resets what it gives up, so that its clients see when that is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <pwd.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "liblinger/linger.h"
#include "tests/support/lingerd.h"
#include "tests/support/tcp.h"

enum { SILENT_MAX = 10000 };

/* -- Peers that say nothing, and when they are given up -- */

struct silent {
	int fd;
	uint64_t before_ns, after_ns; /* around its handoff */
	uint64_t ended_ns;	      /* 0: not yet */
};

/* They are watched by a thread of their own, from when they are handed over. */
struct watch {
	int epoll;
	pthread_t thread;
	int count;
	atomic_int ended;
	int order[SILENT_MAX]; /* of their ends */
	struct silent silent[SILENT_MAX];
};

static void *note_ends(void *context)
{
	struct watch *watch = context;
	struct epoll_event events[256];
	uint64_t patience_ns = clock_now_ns() + 120 * NS_PER_S;

	while (watch->ended < watch->count && clock_now_ns() < patience_ns) {
		int count = epoll_wait(watch->epoll, events, 256, 1000);
		uint64_t now = clock_now_ns();

		for (int i = 0; i < count; i++) {
			struct silent *silent = &watch->silent[events[i].data.u32];

			silent->ended_ns = now;
			watch->order[watch->ended] = (int)events[i].data.u32;
			epoll_ctl(watch->epoll, EPOLL_CTL_DEL, silent->fd, NULL);
			watch->ended++;
		}
	}
	return NULL;
}

static struct watch *hand_over_silent(const struct lingerd *daemon, int count)
{
	struct watch *watch = calloc(1, sizeof(*watch));
	struct linger_client *client;
	uint16_t port;
	int listener = tcp_listen(0, &port);

	assert_non_null(watch);
	watch->epoll = epoll_create1(EPOLL_CLOEXEC);
	watch->count = count;
	assert_int_equal(pthread_create(&watch->thread, NULL, note_ends, watch), 0);
	assert_int_equal(linger_client_open(&client, daemon->socket), 0);
	for (int i = 0; i < count; i++) {
		struct silent *silent = &watch->silent[i];
		/* Nothing but errors: the server's FIN is there at once. */
		struct epoll_event event = { .data.u32 = (uint32_t)i };
		int server, error;

		silent->fd = tcp_connect(port);
		server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		assert_true(server >= 0);
		do {
			silent->before_ns = clock_now_ns();
			error = linger_handoff(client, server);
		} while (error == -EAGAIN);
		silent->after_ns = clock_now_ns();
		assert_int_equal(error, 0);
		close(server);
		assert_int_equal(epoll_ctl(watch->epoll, EPOLL_CTL_ADD, silent->fd, &event), 0);
	}
	linger_client_close(client);
	close(listener);
	return watch;
}

/* Not one sooner than after `seconds`, and none more than a second later. */
static void expect_ends(struct watch *watch, unsigned int seconds)
{
	uint64_t earliest = UINT64_MAX, latest = 0;

	pthread_join(watch->thread, NULL);
	assert_int_equal(watch->ended, watch->count);
	for (int i = 0; i < watch->count; i++) {
		const struct silent *silent = &watch->silent[i];
		uint64_t sooner = silent->ended_ns - silent->before_ns;
		uint64_t later = silent->ended_ns - silent->after_ns;

		if (sooner < earliest)
			earliest = sooner;
		if (later > latest)
			latest = later;
	}
	print_message("# %d silent peers: given up %.3f to %.3f s after their handoff\n",
		      watch->count, (double)earliest / NS_PER_S, (double)latest / NS_PER_S);
	assert_true(earliest >= seconds * NS_PER_S);
	assert_true(latest <= (seconds + 1) * NS_PER_S);
}

static void forget_silent(struct watch *watch)
{
	for (int i = 0; i < watch->count; i++)
		close(watch->silent[i].fd);
	close(watch->epoll);
	free(watch);
}

static void silent_peers_are_given_up_in_time_and_in_order(void **state)
{
	static const char *const options[] = {
		"--idle-timeout", "8", "--total-timeout", "60", "--at-deadline", "reset", NULL
	};
	struct lingerd daemon;
	struct watch *watch;

	(void)state;
	lingerd_start(&daemon, options);
	watch = hand_over_silent(&daemon, SILENT_MAX);
	assert_int_equal(watch->ended, 0);
	expect_ends(watch, 8);
	for (int i = 0; i < watch->count; i++)
		assert_int_equal(watch->order[i], i);
	lingerd_expect(&daemon, "ended_idle", SILENT_MAX);
	forget_silent(watch);
	lingerd_expect_idle_fds(&daemon);
	lingerd_stop(&daemon);
}

/* -- An upgrade under load -- */

enum { RESPONSE = 2000, PER_SECOND = 1000 };

struct load {
	const struct lingerd *daemon;
	atomic_bool stop;
	int served, kept, broken;
	uint64_t took_ns;
};

static void serve_one(struct load *load, struct linger_client *client, int listener, uint16_t port)
{
	int peer = tcp_connect(port);
	int server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	size_t length = 0;

	assert_int_equal(tcp_write(peer, 300), 0); /* nobody will read it but lingerd */
	assert_int_equal(tcp_write(server, RESPONSE), 0);
	if (linger_handoff(client, server)) {
		load->kept++;
		shutdown(server, SHUT_WR);
		tcp_read_to_end(peer, &length);
		close(peer);
		close(server);
		return;
	}
	close(server);
	if (tcp_write(peer, 300) || tcp_read_to_end(peer, &length) || length != RESPONSE)
		load->broken++;
	load->served++;
	close(peer);
}

static void *serve(void *context)
{
	struct load *load = context;
	struct linger_client *client;
	uint64_t began = clock_now_ns();
	uint16_t port;
	int listener = tcp_listen(0, &port);

	assert_int_equal(linger_client_open(&client, load->daemon->socket), 0);
	for (uint64_t n = 0; !load->stop; n++) {
		uint64_t due = began + n * NS_PER_S / PER_SECOND, now = clock_now_ns();

		if (now < due)
			usleep((useconds_t)((due - now) / NS_PER_US));
		serve_one(load, client, listener, port);
	}
	load->took_ns = clock_now_ns() - began;
	linger_client_close(client);
	close(listener);
	return NULL;
}

static void upgrades_under_load_lose_nothing_and_keep_deadlines(void **state)
{
	enum { OPEN = 5000, UPGRADES = 3, TOTAL_S = 15 };
	static const char *const options[] = {
		"--idle-timeout", "60", "--total-timeout", "15", "--at-deadline", "reset", NULL
	};
	struct lingerd daemon;
	struct load load = { .daemon = &daemon };
	struct watch *watch;
	pthread_t server;

	(void)state;
	lingerd_start(&daemon, options);
	watch = hand_over_silent(&daemon, OPEN);
	assert_int_equal(pthread_create(&server, NULL, serve, &load), 0);
	for (int i = 0; i < UPGRADES; i++) {
		char name[16];

		sleep(1);
		snprintf(name, sizeof(name), "next%d", i);
		lingerd_take_over(&daemon, name, options);
		assert_true(lingerd_counter(&daemon, "restored") >= OPEN);
	}
	sleep(1);
	load.stop = true;
	pthread_join(server, NULL);
	print_message("# %d handoffs in %.1f s, %d kept by the server, %d responses broken\n",
		      load.served, (double)load.took_ns / NS_PER_S, load.kept, load.broken);
	assert_true(load.served > PER_SECOND);
	assert_int_equal(load.broken, 0);
	expect_ends(watch, TOTAL_S);
	lingerd_expect(&daemon, "ended_total", OPEN);
	lingerd_expect(&daemon, "lingers", 0);
	forget_silent(watch);
	lingerd_expect_idle_fds(&daemon);
	lingerd_stop(&daemon);
}

/* -- A peer that floods -- */

enum { ROUNDS = 8, SAMPLES = 250, CAP = 1000 };

/* How long the daemon takes to act on what a peer sends: over its byte cap, it is reset. */
static uint64_t reaction_ns(struct linger_client *client)
{
	struct tcp_pair pair = lingerd_hand_over(client);
	struct pollfd reset = { .fd = pair.client }; /* after a FIN, recv() does not tell of it */
	uint64_t began;

	usleep(3000); /* so that neither the handoff nor the rest after it is part of it */
	began = clock_now_ns();
	assert_int_equal(tcp_write(pair.client, CAP + 1), 0);
	assert_int_equal(poll(&reset, 1, 30000), 1);
	began = clock_now_ns() - began;
	close(pair.client);
	return began;
}

static int by_size(const void *a, const void *b)
{
	const uint64_t *left = a, *right = b;

	return *left < *right ? -1 : *left > *right;
}

static double p99_us(uint64_t *samples, int count)
{
	qsort(samples, (size_t)count, sizeof(*samples), by_size);
	return (double)samples[count * 99 / 100] / NS_PER_US;
}

static void measure(struct linger_client *client, uint64_t samples[SAMPLES])
{
	for (int i = 0; i < SAMPLES; i++)
		samples[i] = reaction_ns(client);
}

static pid_t fork_child(void)
{
	pid_t pid = fork();

	if (!pid)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return pid;
}

/* Until it is reset. */
static void flood(int client)
{
	while (!tcp_write(client, 1 << 20))
		;
	_exit(0);
}

/* Hands its own connection over as another user, who has no byte cap to speak of, and writes. */
static pid_t start_flooder(const struct lingerd *daemon, uid_t user)
{
	pid_t pid = fork_child();
	struct linger_client *client;

	if (pid)
		return pid;
	if (setuid(user) || linger_client_open(&client, daemon->socket))
		_exit(1);
	flood(lingerd_hand_over(client).client);
	_exit(1);
}

/* The same load on this machine without lingerd: read by a bare loop in a process of its own. */
static void start_bare_flood(pid_t pids[2])
{
	struct tcp_pair pair = tcp_pair_open();
	static char sink[256 << 10];

	pids[0] = fork_child();
	if (!pids[0])
		flood(pair.client);
	pids[1] = fork_child();
	if (!pids[1]) {
		while (recv(pair.server, sink, sizeof(sink), MSG_TRUNC) > 0)
			;
		_exit(0);
	}
	close(pair.client);
	close(pair.server);
}

static void end_child(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void a_flooding_peer_holds_nobody_up_and_ends_at_its_byte_cap(void **state)
{
	static uint64_t quiet[ROUNDS * SAMPLES], beside[ROUNDS * SAMPLES],
		flooded[ROUNDS * SAMPLES];
	const struct passwd *nobody = getpwnam("nobody");
	const char *options[] = { "--config", NULL, "--socket-mode", "0666", NULL };
	struct linger_client *client;
	struct lingerd daemon;
	char folder[256], config[300];
	double before, bare, with;
	uint64_t drained, began, flooded_ns = 0;
	FILE *file;
	int status;

	(void)state;
	if (geteuid() != 0 || !nobody)
		skip();
	make_folder(folder);
	snprintf(config, sizeof(config), "%s/conf", folder);
	file = fopen(config, "w");
	assert_non_null(file);
	fprintf(file,
		"[lingerd]\nbyte-cap = %d\nat-deadline = reset\n[user nobody]\nbyte-cap = 64g\n",
		CAP);
	fclose(file);
	options[1] = config;
	lingerd_start(&daemon, options);
	assert_int_equal(chmod(daemon.folder, 0755), 0);
	assert_int_equal(linger_client_open(&client, daemon.socket), 0);
	for (int round = 0; round < ROUNDS; round++) {
		pid_t flooder, pair[2];

		measure(client, quiet + round * SAMPLES);
		start_bare_flood(pair);
		measure(client, beside + round * SAMPLES);
		end_child(pair[0]);
		end_child(pair[1]);
		began = clock_now_ns();
		flooder = start_flooder(&daemon, nobody->pw_uid);
		lingerd_expect(&daemon, "lingers", 1);
		measure(client, flooded + round * SAMPLES);
		assert_int_equal(lingerd_counter(&daemon, "lingers"), 1); /* it still floods */
		end_child(flooder);
		lingerd_expect(&daemon, "lingers", 0);
		flooded_ns += clock_now_ns() - began;
	}
	before = p99_us(quiet, ROUNDS * SAMPLES);
	bare = p99_us(beside, ROUNDS * SAMPLES);
	with = p99_us(flooded, ROUNDS * SAMPLES);
	drained = lingerd_counter(&daemon, "drained_bytes");
	print_message("# reaction, p50 and p99: quiet %.0f %.0f us; with a flood past the daemon "
		      "%.0f %.0f "
		      "us; with one through it, %.1f GB in %.1f s, %.0f %.0f us (%.2f of quiet)\n",
		      (double)quiet[ROUNDS * SAMPLES / 2] / NS_PER_US, before,
		      (double)beside[ROUNDS * SAMPLES / 2] / NS_PER_US, bare, (double)drained / 1e9,
		      (double)flooded_ns / NS_PER_S,
		      (double)flooded[ROUNDS * SAMPLES / 2] / NS_PER_US, with, with / before);
	/* It rests: in a millisecond, not more than a turn, which ends with the read that fills a megabyte. */
	assert_true(drained / (2 << 20) < flooded_ns / NS_PER_MS);
	/* Ratios are figures, and no bounds: two CPUs are shared by four processes. */
	assert_true(with < 2 * before || with < 2 * bare || with < 20000);
	lingerd_expect(&daemon, "ended_byte_cap", 3ULL * ROUNDS * SAMPLES);

	/* A cap that it can reach. */
	file = fopen(config, "w");
	assert_non_null(file);
	fprintf(file, "[lingerd]\nat-deadline = reset\n[user nobody]\nbyte-cap = 256m\n");
	fclose(file);
	assert_int_equal(kill(daemon.process.pid, SIGHUP), 0);
	drained = lingerd_counter(&daemon, "drained_bytes");
	assert_int_equal(waitpid(start_flooder(&daemon, nobody->pw_uid), &status, 0) > 0, 1);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	lingerd_expect(&daemon, "ended_byte_cap", 3ULL * ROUNDS * SAMPLES + 1);
	drained = lingerd_counter(&daemon, "drained_bytes") - drained;
	/* It is met between two reads. */
	assert_in_range(drained, 256 << 20, 258 << 20);
	linger_client_close(client);
	lingerd_expect_idle_fds(&daemon);
	lingerd_stop(&daemon);
	remove_folder(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(silent_peers_are_given_up_in_time_and_in_order),
		cmocka_unit_test(upgrades_under_load_lose_nothing_and_keep_deadlines),
		cmocka_unit_test(a_flooding_peer_holds_nobody_up_and_ends_at_its_byte_cap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
