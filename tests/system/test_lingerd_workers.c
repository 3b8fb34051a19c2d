/* SPDX-License-Identifier: MIT */
/*
 * One daemon of several processes: it lingers more than the limit of open files of one, and to those outside it is
 * one all the same, in its counters, metrics, commands, quotas and ends.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "liblinger/linger.h"
#include "liblinger/protocol.h"
#include "lingerctl/ask.h"
#include "lingerd/counters.h"
#include "tests/support/lingerd.h"
#include "tests/support/tcp.h"

enum { MANY = 600, SHELVES = 7, PATIENCE_S = 30 };

/* Room for some 120 in the first process, and 170 in each of the others. */
static const char *const narrow[] = { "/usr/bin/prlimit", "--nofile=200", NULL };
static struct tcp_pair pairs[MANY];

static struct linger_client *open_client(const struct lingerd *daemon)
{
	struct linger_client *client;

	assert_int_equal(linger_client_open(&client, daemon->socket), 0);
	return client;
}

static void hand_over(const struct lingerd *daemon, int first, int count)
{
	struct linger_client *client = open_client(daemon);

	for (int i = first; i < first + count; i++)
		pairs[i] = lingerd_hand_over(client);
	linger_client_close(client);
	lingerd_expect(daemon, "senders", 1);
}

static void close_clients(int count)
{
	for (int i = 0; i < count; i++)
		close(pairs[i].client);
}

static pid_t parent_of(pid_t pid)
{
	char path[64], comm[64], state;
	int parent = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	file = fopen(path, "r");
	if (file && fscanf(file, "%*d (%63[^)]) %c %d", comm, &state, &parent) != 3)
		parent = 0;
	if (file)
		fclose(file);
	return parent;
}

static int find_shelves(const struct lingerd *daemon, pid_t ret[SHELVES])
{
	DIR *folder = opendir("/proc");
	int count = 0;

	assert_non_null(folder);
	for (const struct dirent *entry; (entry = readdir(folder));) {
		pid_t pid = (pid_t)atoi(entry->d_name);

		if (pid > 0 && parent_of(pid) == daemon->process.pid) {
			assert_true(count < SHELVES);
			ret[count++] = pid;
		}
	}
	closedir(folder);
	return count;
}

static void read_counters(const struct lingerd *daemon, struct counters *ret)
{
	char text[COUNTERS_TEXT_MAX], *rest = text, *line;

	memset(ret, 0, sizeof(*ret));
	assert_int_equal(ask(daemon->socket, LINGER_MESSAGE_STATUS, text, sizeof(text)), 0);
	while ((line = strsep(&rest, "\n"))) {
		char *value = strchr(line, ' ');

		if (value) {
			*value++ = '\0';
			counters_set(ret, line, strtoull(value, NULL, 10));
		}
	}
}

/* At any time, whatever is on its way. */
static void books_balance(const struct lingerd *daemon)
{
	struct counters c;

	read_counters(daemon, &c);
	assert_int_equal(c.handoffs + c.restored,
			 c.lingers + counters_sum(&c, COUNTER_END) + c.passed_on);
}

struct group {
	const struct lingerd *daemon;
	pid_t shelves[SHELVES];
	int count;
	int idle_fds;
};

static int fds_of(const struct group *group)
{
	int count = process_fd_count(group->daemon->process.pid);

	for (int i = 0; i < group->count; i++)
		count += process_fd_count(group->shelves[i]);
	return count;
}

static void start_narrow(struct lingerd *daemon, struct group *group, const char *const options[])
{
	lingerd_start_under(daemon, narrow, options);
	group->daemon = daemon;
	group->count = find_shelves(daemon, group->shelves);
	group->idle_fds = daemon->idle_fds;
	for (int i = 0; i < group->count; i++)
		group->idle_fds += process_fd_count(group->shelves[i]);
}

static bool fds_are_idle(void *group)
{
	return fds_of(group) == ((struct group *)group)->idle_fds;
}

static bool are_gone(void *context)
{
	const struct group *group = context;

	for (int i = 0; i < group->count; i++)
		if (!kill(group->shelves[i], 0))
			return false;
	return true;
}

static void stop(struct lingerd *daemon, struct group *group)
{
	lingerd_stop(daemon);
	assert_true(wait_until(are_gone, group, PATIENCE_S));
}

static const char *const eight[] = { "--workers", "8", "--idle-timeout", "300", "--total-timeout",
				     "300",	  NULL };

static void one_is_what_it_was(void **state)
{
	static const char *const one[] = { "--workers", "1", NULL };
	struct lingerd daemon;
	pid_t shelves[SHELVES];

	(void)state;
	lingerd_start(&daemon, one);
	assert_int_equal(find_shelves(&daemon, shelves), 0);
	lingerd_stop(&daemon);
}

static void more_linger_than_one_may_have_open(void **state)
{
	struct lingerd daemon;
	struct group group;

	(void)state;
	start_narrow(&daemon, &group, eight);
	assert_int_equal(group.count, SHELVES);
	assert_in_range(lingerd_counter(&daemon, "max_connections"), MANY, 200 * 8);
	hand_over(&daemon, 0, MANY);
	books_balance(&daemon);
	lingerd_expect(&daemon, "lingers", MANY);
	assert_int_equal(lingerd_counter(&daemon, "lingers_peak"), MANY);
	assert_true(fds_of(&group) >= group.idle_fds + MANY);
	for (int i = 0; i < MANY; i++) {
		size_t length;

		assert_int_equal(tcp_write(pairs[i].client, 1000), 0);
		assert_int_equal(tcp_read_to_end(pairs[i].client, &length), 0);
		if (i % 50 == 0)
			books_balance(&daemon);
	}
	lingerd_expect(&daemon, "drained_bytes", MANY * 1000);
	close_clients(MANY);
	lingerd_expect(&daemon, "ended_fin", MANY);
	books_balance(&daemon);
	assert_int_equal(lingerd_counter(&daemon, "handoffs"), MANY);
	assert_int_equal(lingerd_counter(&daemon, "intake_pauses"), 0);
	assert_true(wait_until(fds_are_idle, &group, PATIENCE_S));
	stop(&daemon, &group);
}

static bool all_ended_total(void *daemon)
{
	return lingerd_counter(daemon, "ended_total") == MANY;
}

static void deadlines_hold_wherever_it_lingers(void **state)
{
	static const char *const options[] = {
		"--workers", "8", "--idle-timeout", "300", "--total-timeout", "3", NULL
	};
	struct lingerd daemon;
	struct group group;
	uint64_t began, last;

	(void)state;
	start_narrow(&daemon, &group, options);
	began = clock_now_ns();
	hand_over(&daemon, 0, MANY);
	last = clock_now_ns();
	while (clock_now_ns() < began + 2900 * NS_PER_MS) {
		assert_int_equal(lingerd_counter(&daemon, "ended_total"), 0);
		usleep(50000);
	}
	assert_true(wait_until(all_ended_total, &daemon, PATIENCE_S));
	assert_true(clock_now_ns() < last + 8 * NS_PER_S);
	close_clients(MANY);
	assert_true(wait_until(fds_are_idle, &group, PATIENCE_S));
	stop(&daemon, &group);
}

static void the_byte_cap_holds_wherever_it_lingers(void **state)
{
	static const char *const options[] = { "--workers", "8",	  "--idle-timeout",
					       "300",	    "--byte-cap", "10k",
					       NULL };
	struct lingerd daemon;
	struct group group;

	(void)state;
	start_narrow(&daemon, &group, options);
	hand_over(&daemon, 0, MANY);
	for (int i = 0; i < MANY; i++)
		assert_int_equal(tcp_write(pairs[i].client, 8000), 0);
	lingerd_expect(&daemon, "drained_bytes", (uint64_t)MANY * 8000);
	assert_int_equal(lingerd_counter(&daemon, "lingers"), MANY);
	for (int i = 0; i < MANY; i++)
		tcp_write(pairs[i].client, 8000);
	lingerd_expect(&daemon, "ended_byte_cap", MANY);
	close_clients(MANY);
	stop(&daemon, &group);
}

static void all_can_be_closed_by_command(void **state)
{
	struct lingerd daemon;
	struct group group;
	char text[600];

	(void)state;
	start_narrow(&daemon, &group, eight);
	hand_over(&daemon, 0, MANY);
	assert_int_equal(ask(daemon.socket, LINGER_MESSAGE_CLOSE_ALL, text, sizeof(text)), 0);
	assert_string_equal(text, "ok: closed 600 connections\n");
	lingerd_expect(&daemon, "ended_command", MANY);
	lingerd_expect(&daemon, "lingers", 0);
	books_balance(&daemon);
	close_clients(MANY);
	assert_true(wait_until(fds_are_idle, &group, PATIENCE_S));
	stop(&daemon, &group);
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void new_settings_reach_all(void **state)
{
	char config[300], folder[256], text[600];
	const char *options[] = { "--config", config, NULL };
	struct lingerd daemon;
	struct group group;

	(void)state;
	make_folder(folder);
	snprintf(config, sizeof(config), "%s/c", folder);
	write_file(config, "[lingerd]\nworkers = 8\nidle-timeout = 300\ntotal-timeout = 300\n");
	start_narrow(&daemon, &group, options);
	hand_over(&daemon, 0, MANY);
	write_file(config, "[lingerd]\nworkers = 2\nidle-timeout = 0.1\ntotal-timeout = 300\n");
	assert_int_equal(ask(daemon.socket, LINGER_MESSAGE_RELOAD, text, sizeof(text)), 0);
	assert_non_null(strstr(text, "but 1 that cannot change"));
	lingerd_expect(&daemon, "ended_idle", MANY);
	close_clients(MANY);
	stop(&daemon, &group);
	remove_folder(folder);
}

static void a_stop_gives_all_their_grace(void **state)
{
	static const char *const options[] = {
		"--workers", "8", "--idle-timeout", "300", "--total-timeout", "300", "--stop-grace",
		"2",	     NULL
	};
	struct lingerd daemon;
	struct group group;
	uint64_t began;

	(void)state;
	start_narrow(&daemon, &group, options);
	hand_over(&daemon, 0, MANY);
	began = clock_now_ns();
	kill(daemon.process.pid, SIGTERM);
	usleep(500000);
	close_clients(MANY / 2); /* in time */
	assert_int_equal(process_wait(&daemon.process, PATIENCE_S), 0);
	assert_true(clock_now_ns() - began >= 2 * NS_PER_S);
	assert_true(file_contains(daemon.process.err, "ending: 600 connections"));
	assert_true(
		file_contains(daemon.process.err, "ended: 600 handoffs: 300 fin, 300 shutdown;"));
	assert_true(wait_until(are_gone, &group, PATIENCE_S));
	for (int i = MANY / 2; i < MANY; i++)
		close(pairs[i].client);
	remove_folder(daemon.folder);
}

static void a_drain_ends_with_the_last_one(void **state)
{
	struct lingerd daemon;
	struct group group;
	char text[600];

	(void)state;
	start_narrow(&daemon, &group, eight);
	hand_over(&daemon, 0, MANY);
	assert_int_equal(ask(daemon.socket, LINGER_MESSAGE_DRAIN, text, sizeof(text)), 0);
	assert_string_equal(text, "ok: takes no more; ends when 600 connections have\n");
	close_clients(MANY - 1);
	usleep(300000);
	assert_int_equal(process_wait(&daemon.process, 0), -1);
	close(pairs[MANY - 1].client);
	assert_int_equal(process_wait(&daemon.process, PATIENCE_S), 0);
	assert_true(file_contains(daemon.process.err, "ended: 600 handoffs: 600 fin;"));
	remove_folder(daemon.folder);
}

/* With its descriptors, whatever was on their way to it. */
static void who_dies_costs_what_it_had_and_no_more(void **state)
{
	struct linger_client *client;
	struct lingerd daemon;
	struct group group;
	struct tcp_pair pair;
	uint64_t lost;

	(void)state;
	start_narrow(&daemon, &group, eight);
	hand_over(&daemon, 0, MANY);
	assert_int_equal(kill(group.shelves[2], SIGKILL), 0);
	while (!(lost = lingerd_counter(&daemon, "ended_lost")))
		usleep(10000);
	assert_in_range(lost, 10, 190);
	books_balance(&daemon);
	assert_true(file_contains(daemon.process.err, "has died"));
	assert_in_range(lingerd_counter(&daemon, "max_connections"), MANY, 200 * 7);
	client = open_client(&daemon);
	pair = lingerd_hand_over(client);
	close(pair.client);
	lingerd_expect(&daemon, "ended_fin", 1);
	linger_client_close(client);
	close_clients(MANY);
	lingerd_expect(&daemon, "lingers", 0);
	books_balance(&daemon);
	assert_int_equal(lingerd_counter(&daemon, "ended_lost"), lost);
	stop(&daemon, &group);
}

/* One that is stopped gets no more than its credit, and nobody waits for it. */
static void who_hangs_holds_nobody_up(void **state)
{
	struct lingerd daemon;
	struct group group;
	size_t length;

	(void)state;
	start_narrow(&daemon, &group, eight);
	assert_int_equal(kill(group.shelves[0], SIGSTOP), 0);
	hand_over(&daemon, 0, MANY);
	lingerd_expect(&daemon, "lingers", MANY);
	books_balance(&daemon);
	/* It dies with what is on its way to it. */
	assert_int_equal(kill(group.shelves[0], SIGKILL), 0);
	while (!lingerd_counter(&daemon, "ended_lost"))
		usleep(10000);
	assert_in_range(lingerd_counter(&daemon, "ended_lost"), 1, 32);
	books_balance(&daemon);
	for (int i = 0; i < MANY; i++) {
		tcp_read_to_end(pairs[i].client, &length);
		close(pairs[i].client);
	}
	lingerd_expect(&daemon, "lingers", 0);
	stop(&daemon, &group);
}

static void none_outlives_the_first(void **state)
{
	struct lingerd daemon;
	struct group group;

	(void)state;
	start_narrow(&daemon, &group, eight);
	hand_over(&daemon, 0, MANY);
	assert_int_equal(process_end(&daemon.process, SIGKILL, PATIENCE_S), 128 + SIGKILL);
	assert_true(wait_until(are_gone, &group, PATIENCE_S));
	close_clients(MANY);
	remove_folder(daemon.folder);
}

static void signals_to_the_whole_group_are_for_the_first(void **state)
{
	struct lingerd daemon;
	struct group group;
	pid_t left[SHELVES];

	(void)state;
	start_narrow(&daemon, &group, eight);
	for (int i = 0; i < group.count; i++) {
		kill(group.shelves[i], SIGTERM);
		kill(group.shelves[i], SIGINT);
		kill(group.shelves[i], SIGHUP);
	}
	hand_over(&daemon, 0, MANY);
	assert_int_equal(find_shelves(&daemon, left), SHELVES);
	close_clients(MANY);
	lingerd_expect(&daemon, "ended_fin", MANY);
	stop(&daemon, &group);
}

static void max_connections_is_of_all(void **state)
{
	static const char *const options[] = {
		"--workers", "8", "--idle-timeout", "300", "--max-connections", "300", NULL
	};
	struct linger_client *client;
	struct lingerd daemon;
	struct group group;
	struct tcp_pair pair;
	int taken = 0, error = 0;

	(void)state;
	start_narrow(&daemon, &group, options);
	assert_int_equal(lingerd_counter(&daemon, "max_connections"), 300);
	hand_over(&daemon, 0, 250);
	client = open_client(&daemon);
	/* What is in the sender's queue has not been taken. */
	for (; taken < 200 && !error; taken++) {
		pair = tcp_pair_open();
		error = linger_handoff(client, pair.server);
		close(pair.server);
		pairs[250 + taken] = pair;
	}
	assert_int_equal(error, -EAGAIN);
	usleep(200000);
	assert_in_range(lingerd_counter(&daemon, "lingers"), 299, 301);
	close_clients(250);
	lingerd_expect(&daemon, "handoffs", 250 + (uint64_t)taken - 1);
	for (int i = 0; i < taken; i++)
		close(pairs[250 + i].client);
	lingerd_expect(&daemon, "lingers", 0);
	linger_client_close(client);
	stop(&daemon, &group);
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
	start_narrow(&daemon, &group, options);
	hand_over(&daemon, 0, 390);
	usleep(200000);
	client = open_client(&daemon);
	for (; taken < 200; taken++) {
		struct tcp_pair pair = tcp_pair_open();
		int error = linger_handoff(client, pair.server);

		close(pair.server);
		pairs[390 + taken] = pair;
		if (error)
			break;
	}
	usleep(200000);
	assert_in_range(lingerd_counter(&daemon, "lingers"), 400, 400 + 40);
	assert_in_range(lingerd_counter(&daemon, "user_pauses"), 1, 1000);
	close_clients(390);
	for (int i = 0; i <= taken; i++)
		close(pairs[390 + i].client);
	lingerd_expect(&daemon, "lingers", 0);
	linger_client_close(client);
	stop(&daemon, &group);
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
	start_narrow(&daemon, &group, options);
	hand_over(&daemon, 0, MANY);
	usleep(200000);
	shed = lingerd_counter(&daemon, "ended_shed");
	assert_in_range(shed, MANY - 300 - 2, MANY - 300 + 2);
	assert_in_range(lingerd_counter(&daemon, "lingers"), 298, 302);
	/* Whoever was given up answers what comes now with a reset. */
	for (int i = 0; i < MANY; i++) {
		int *ended = i < MANY / 2 ? &old : &young;
		char byte;

		send(pairs[i].client, "x", 1, MSG_NOSIGNAL);
		usleep(10);
		send(pairs[i].client, "x", 1, MSG_NOSIGNAL);
		if (recv(pairs[i].client, &byte, 1, 0) < 0 ||
		    send(pairs[i].client, "x", 1, MSG_NOSIGNAL) < 0)
			++*ended;
	}
	assert_in_range(old, MANY / 2 * 8 / 10, MANY / 2);
	assert_in_range(young, 0, MANY / 2 * 2 / 10);
	close_clients(MANY);
	lingerd_expect(&daemon, "lingers", 0);
	stop(&daemon, &group);
}

static void the_quota_of_a_client_is_of_all(void **state)
{
	static const char *const options[] = {
		"--workers", "8", "--idle-timeout", "300", "--max-per-client", "400", NULL
	};
	struct lingerd daemon;
	struct group group;

	(void)state;
	start_narrow(&daemon, &group, options);
	hand_over(&daemon, 0, 390);
	usleep(200000);
	hand_over(&daemon, 390, 200);
	/* But for what was on its way at that moment. */
	assert_in_range(lingerd_counter(&daemon, "lingers"), 400, 400 + 32);
	assert_in_range(lingerd_counter(&daemon, "ended_quota"), 190 - 32, 190);
	close_clients(390 + 200);
	lingerd_expect(&daemon, "lingers", 0);
	/* And all of it is free again. */
	hand_over(&daemon, 0, 390);
	assert_int_equal(lingerd_counter(&daemon, "lingers"), 390);
	close_clients(390);
	stop(&daemon, &group);
}

static const char *const three[] = { "--workers", "3", "--idle-timeout", "300", "--total-timeout",
				     "300",	  NULL };

/* As many as may be on their way at once: no linger stays behind. */
static void another_daemon_takes_all_over(void **state)
{
	enum { COUNT = 140 };
	struct lingerd daemon;
	struct group group;
	size_t length;

	(void)state;
	start_narrow(&daemon, &group, three);
	hand_over(&daemon, 0, COUNT);
	lingerd_take_over(&daemon, "second", three);
	assert_true(wait_until(are_gone, &group, PATIENCE_S));
	lingerd_expect(&daemon, "restored", COUNT);
	books_balance(&daemon);
	for (int i = 0; i < COUNT; i++) {
		assert_int_equal(tcp_write(pairs[i].client, 1000), 0);
		assert_int_equal(tcp_read_to_end(pairs[i].client, &length), 0);
	}
	lingerd_expect(&daemon, "drained_bytes", COUNT * 1000);
	close_clients(COUNT);
	lingerd_expect(&daemon, "ended_fin", COUNT);
	lingerd_stop(&daemon);
}

/* The limit of open files is that of descriptors on their way, too: the rest has its grace where it is. */
static void what_cannot_be_passed_on_has_its_grace(void **state)
{
	static const char *const options[] = {
		"--workers", "8", "--idle-timeout", "300", "--total-timeout", "300", "--stop-grace",
		"2",	     NULL
	};
	struct process old;
	struct lingerd daemon;
	struct group group;
	uint64_t passed;
	char line[100];
	int kept = 0;

	(void)state;
	start_narrow(&daemon, &group, options);
	hand_over(&daemon, 0, MANY);
	old = daemon.process;
	lingerd_take_over(&daemon, "second", options);
	assert_true(wait_until(are_gone, &group, PATIENCE_S));
	passed = lingerd_counter(&daemon, "restored");
	assert_in_range(passed, 100, 160);
	books_balance(&daemon);
	snprintf(line, sizeof(line), "ended: 600 handoffs: %lu shutdown; %lu passed on;",
		 (unsigned long)(MANY - passed), (unsigned long)passed);
	assert_true(file_contains(old.err, line));
	for (int i = 0; i < MANY; i++) {
		size_t length;

		assert_int_equal(tcp_read_to_end(pairs[i].client, &length), 0);
		kept += !tcp_write(pairs[i].client, 1) && !usleep(10) &&
			!tcp_write(pairs[i].client, 1);
	}
	assert_int_equal(kept, passed);
	close_clients(MANY);
	lingerd_expect(&daemon, "ended_fin", passed);
	lingerd_stop(&daemon);
}

/* Nothing is away then, and nothing has changed. */
static void who_asks_and_leaves_takes_nothing_away(void **state)
{
	const struct linger_message question = {
		.magic = LINGER_PROTOCOL_MAGIC,
		.version = LINGER_PROTOCOL_VERSION,
		.size = sizeof(question),
		.type = LINGER_MESSAGE_TAKE_OVER,
	};
	struct lingerd daemon;
	struct group group;
	int asker;

	(void)state;
	start_narrow(&daemon, &group, eight);
	hand_over(&daemon, 0, MANY);
	asker = sender_connect(&daemon);
	sender_send(asker, &question, sizeof(question), NULL, 0);
	close(asker);
	lingerd_expect(&daemon, "lingers", MANY);
	lingerd_expect(&daemon, "passed_on", 0);
	assert_int_equal(lingerd_counter(&daemon, "restored"), 0);
	close_clients(MANY);
	lingerd_expect(&daemon, "ended_fin", MANY);
	books_balance(&daemon);
	assert_true(wait_until(fds_are_idle, &group, PATIENCE_S));
	stop(&daemon, &group);
}

static unsigned long long status_of(pid_t pid, const char *field)
{
	unsigned long long value = ~0ULL;
	char path[64], line[256];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	file = fopen(path, "r");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		if (!strncmp(line, field, strlen(field)))
			value = strtoull(line + strlen(field), NULL, 16);
	fclose(file);
	return value;
}

static void none_of_them_has_rights(void **state)
{
	struct lingerd daemon;
	struct group group;

	(void)state;
	start_narrow(&daemon, &group, eight);
	for (int i = 0; i < group.count; i++) {
		assert_int_equal(status_of(group.shelves[i], "CapPrm:"), 0);
		assert_int_equal(status_of(group.shelves[i], "CapEff:"), 0);
		assert_int_equal(status_of(group.shelves[i], "NoNewPrivs:"), 1);
		assert_int_equal(status_of(group.shelves[i], "Seccomp:"),
				 built_sanitized() ? 0 : 2);
	}
	stop(&daemon, &group);
}

static unsigned long metric(const char *text, const char *name)
{
	const char *found = strstr(text, name);

	assert_non_null(found);
	return strtoul(found + strlen(name), NULL, 10);
}

static void scrape(uint16_t port, char *text, size_t size)
{
	static const char request[] = "GET /metrics HTTP/1.0\r\n\r\n";
	int fd = tcp_connect(port);
	size_t used = 0;
	ssize_t n;

	assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
	while ((n = recv(fd, text + used, size - 1 - used, 0)) > 0)
		used += (size_t)n;
	text[used] = '\0';
	close(fd);
}

static void metrics_are_sums(void **state)
{
	char place[32], text[1 << 16];
	const char *options[] = { "--workers",	    "8",   "--metrics", place,
				  "--idle-timeout", "300", NULL };
	struct lingerd daemon;
	struct group group;
	uint16_t port;

	(void)state;
	close(tcp_listen(0, &port));
	snprintf(place, sizeof(place), "127.0.0.1:%u", port);
	start_narrow(&daemon, &group, options);
	hand_over(&daemon, 0, MANY);
	scrape(port, text, sizeof(text));
	assert_int_equal(metric(text, "\nlingerd_lingers "), MANY);
	assert_int_equal(metric(text, "\nlingerd_fd_limit "), 200 * 8);
	assert_in_range(metric(text, "\nlingerd_fd_headroom "), 1, 200 * 8 - MANY);
	close_clients(MANY);
	lingerd_expect(&daemon, "ended_fin", MANY);
	scrape(port, text, sizeof(text));
	assert_int_equal(metric(text, "\nlingerd_ends_total{cause=\"fin\"} "), MANY);
	assert_int_equal(metric(text, "\nlingerd_linger_seconds_count "), MANY);
	assert_int_equal(metric(text, "\nlingerd_fin_seconds_count "), MANY);
	stop(&daemon, &group);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_is_what_it_was),
		cmocka_unit_test(none_of_them_has_rights),
		cmocka_unit_test(metrics_are_sums),
		cmocka_unit_test(more_linger_than_one_may_have_open),
		cmocka_unit_test(deadlines_hold_wherever_it_lingers),
		cmocka_unit_test(the_byte_cap_holds_wherever_it_lingers),
		cmocka_unit_test(all_can_be_closed_by_command),
		cmocka_unit_test(new_settings_reach_all),
		cmocka_unit_test(a_stop_gives_all_their_grace),
		cmocka_unit_test(a_drain_ends_with_the_last_one),
		cmocka_unit_test(who_dies_costs_what_it_had_and_no_more),
		cmocka_unit_test(who_hangs_holds_nobody_up),
		cmocka_unit_test(none_outlives_the_first),
		cmocka_unit_test(signals_to_the_whole_group_are_for_the_first),
		cmocka_unit_test(max_connections_is_of_all),
		cmocka_unit_test(the_quota_of_a_user_is_of_all),
		cmocka_unit_test(the_oldest_of_all_is_shed),
		cmocka_unit_test(the_quota_of_a_client_is_of_all),
		cmocka_unit_test(another_daemon_takes_all_over),
		cmocka_unit_test(what_cannot_be_passed_on_has_its_grace),
		cmocka_unit_test(who_asks_and_leaves_takes_nothing_away),
	};
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
