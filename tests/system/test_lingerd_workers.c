/* SPDX-License-Identifier: MIT */
/*
 * One daemon of several processes: it lingers more than the limit of open files of one, and to those outside it is
 * one all the same, in its counters, metrics, commands and ends. Its limits and losses have tests of their own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "liblinger/protocol.h"
#include "lingerctl/ask.h"
#include "tests/support/group.h"
#include "tests/support/tcp.h"

static void one_is_what_it_was(void **state)
{
	static const char *const one[] = { "--workers", "1", NULL };
	struct lingerd daemon;
	pid_t shelves[GROUP_SHELVES];

	(void)state;
	lingerd_start(&daemon, one);
	assert_int_equal(group_find_shelves(&daemon, shelves), 0);
	lingerd_stop(&daemon);
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
	group_start(&group, &daemon, group_of_eight);
	for (int i = 0; i < group.count; i++) {
		assert_int_equal(status_of(group.shelves[i], "CapPrm:"), 0);
		assert_int_equal(status_of(group.shelves[i], "CapEff:"), 0);
		assert_int_equal(status_of(group.shelves[i], "NoNewPrivs:"), 1);
		assert_int_equal(status_of(group.shelves[i], "Seccomp:"),
				 built_sanitized() ? 0 : 2);
	}
	group_stop(&group, &daemon);
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
	uint16_t port = tcp_free_port();

	(void)state;
	snprintf(place, sizeof(place), "127.0.0.1:%u", port);
	group_start(&group, &daemon, options);
	group_hand_over(&daemon, 0, GROUP_LINGERS);
	scrape(port, text, sizeof(text));
	assert_int_equal(metric(text, "\nlingerd_lingers "), GROUP_LINGERS);
	assert_int_equal(metric(text, "\nlingerd_fd_limit "), GROUP_FILES * 8);
	assert_in_range(metric(text, "\nlingerd_fd_headroom "), 1, GROUP_FILES * 8 - GROUP_LINGERS);
	group_close_clients(GROUP_LINGERS);
	lingerd_expect(&daemon, "ended_fin", GROUP_LINGERS);
	scrape(port, text, sizeof(text));
	assert_int_equal(metric(text, "\nlingerd_ends_total{cause=\"fin\"} "), GROUP_LINGERS);
	assert_int_equal(metric(text, "\nlingerd_linger_seconds_count "), GROUP_LINGERS);
	assert_int_equal(metric(text, "\nlingerd_fin_seconds_count "), GROUP_LINGERS);
	group_stop(&group, &daemon);
}

static void more_linger_than_one_may_have_open(void **state)
{
	struct lingerd daemon;
	struct group group;

	(void)state;
	group_start(&group, &daemon, group_of_eight);
	assert_int_equal(group.count, GROUP_SHELVES);
	assert_in_range(lingerd_counter(&daemon, "max_connections"), GROUP_LINGERS,
			GROUP_FILES * 8);
	group_hand_over(&daemon, 0, GROUP_LINGERS);
	group_books_balance(&daemon);
	lingerd_expect(&daemon, "lingers", GROUP_LINGERS);
	assert_int_equal(lingerd_counter(&daemon, "lingers_peak"), GROUP_LINGERS);
	assert_true(group_fds(&group) >= group.idle_fds + GROUP_LINGERS);
	for (int i = 0; i < GROUP_LINGERS; i++) {
		size_t length;

		assert_int_equal(tcp_write(group_pairs[i].client, 1000), 0);
		assert_int_equal(tcp_read_to_end(group_pairs[i].client, &length), 0);
		if (i % 50 == 0)
			group_books_balance(&daemon);
	}
	lingerd_expect(&daemon, "drained_bytes", GROUP_LINGERS * 1000);
	group_close_clients(GROUP_LINGERS);
	lingerd_expect(&daemon, "ended_fin", GROUP_LINGERS);
	group_books_balance(&daemon);
	assert_int_equal(lingerd_counter(&daemon, "handoffs"), GROUP_LINGERS);
	assert_int_equal(lingerd_counter(&daemon, "intake_pauses"), 0);
	assert_true(wait_until(group_fds_are_idle, &group, GROUP_PATIENCE_S));
	group_stop(&group, &daemon);
}

static bool all_ended_total(void *daemon)
{
	return lingerd_counter(daemon, "ended_total") == GROUP_LINGERS;
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
	group_start(&group, &daemon, options);
	began = clock_now_ns();
	group_hand_over(&daemon, 0, GROUP_LINGERS);
	last = clock_now_ns();
	while (clock_now_ns() < began + 2900 * NS_PER_MS) {
		assert_int_equal(lingerd_counter(&daemon, "ended_total"), 0);
		usleep(50000);
	}
	assert_true(wait_until(all_ended_total, &daemon, GROUP_PATIENCE_S));
	assert_true(clock_now_ns() < last + 8 * NS_PER_S);
	group_close_clients(GROUP_LINGERS);
	assert_true(wait_until(group_fds_are_idle, &group, GROUP_PATIENCE_S));
	group_stop(&group, &daemon);
}

static void the_byte_cap_holds_wherever_it_lingers(void **state)
{
	static const char *const options[] = { "--workers", "8",	  "--idle-timeout",
					       "300",	    "--byte-cap", "10k",
					       NULL };
	struct lingerd daemon;
	struct group group;

	(void)state;
	group_start(&group, &daemon, options);
	group_hand_over(&daemon, 0, GROUP_LINGERS);
	for (int i = 0; i < GROUP_LINGERS; i++)
		assert_int_equal(tcp_write(group_pairs[i].client, 8000), 0);
	lingerd_expect(&daemon, "drained_bytes", (uint64_t)GROUP_LINGERS * 8000);
	assert_int_equal(lingerd_counter(&daemon, "lingers"), GROUP_LINGERS);
	for (int i = 0; i < GROUP_LINGERS; i++)
		tcp_write(group_pairs[i].client, 8000);
	lingerd_expect(&daemon, "ended_byte_cap", GROUP_LINGERS);
	group_close_clients(GROUP_LINGERS);
	group_stop(&group, &daemon);
}

static void all_can_be_closed_by_command(void **state)
{
	struct lingerd daemon;
	struct group group;
	char text[600];

	(void)state;
	group_start(&group, &daemon, group_of_eight);
	group_hand_over(&daemon, 0, GROUP_LINGERS);
	assert_int_equal(ask(daemon.socket, LINGER_MESSAGE_CLOSE_ALL, text, sizeof(text)), 0);
	assert_string_equal(text, "ok: closed 600 connections\n");
	lingerd_expect(&daemon, "ended_command", GROUP_LINGERS);
	lingerd_expect(&daemon, "lingers", 0);
	group_books_balance(&daemon);
	group_close_clients(GROUP_LINGERS);
	assert_true(wait_until(group_fds_are_idle, &group, GROUP_PATIENCE_S));
	group_stop(&group, &daemon);
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
	group_start(&group, &daemon, options);
	group_hand_over(&daemon, 0, GROUP_LINGERS);
	write_file(config, "[lingerd]\nworkers = 2\nidle-timeout = 0.1\ntotal-timeout = 300\n");
	assert_int_equal(ask(daemon.socket, LINGER_MESSAGE_RELOAD, text, sizeof(text)), 0);
	assert_non_null(strstr(text, "but 1 that cannot change"));
	lingerd_expect(&daemon, "ended_idle", GROUP_LINGERS);
	group_close_clients(GROUP_LINGERS);
	group_stop(&group, &daemon);
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
	group_start(&group, &daemon, options);
	group_hand_over(&daemon, 0, GROUP_LINGERS);
	began = clock_now_ns();
	kill(daemon.process.pid, SIGTERM);
	usleep(500000);
	group_close_clients(GROUP_LINGERS / 2); /* in time */
	assert_int_equal(process_wait(&daemon.process, GROUP_PATIENCE_S), 0);
	assert_true(clock_now_ns() - began >= 2 * NS_PER_S);
	assert_true(file_contains(daemon.process.err, "ending: 600 connections"));
	assert_true(
		file_contains(daemon.process.err, "ended: 600 handoffs: 300 fin, 300 shutdown;"));
	assert_true(wait_until(group_is_gone, &group, GROUP_PATIENCE_S));
	for (int i = GROUP_LINGERS / 2; i < GROUP_LINGERS; i++)
		close(group_pairs[i].client);
	remove_folder(daemon.folder);
}

static void a_drain_ends_with_the_last_one(void **state)
{
	struct lingerd daemon;
	struct group group;
	char text[600];

	(void)state;
	group_start(&group, &daemon, group_of_eight);
	group_hand_over(&daemon, 0, GROUP_LINGERS);
	assert_int_equal(ask(daemon.socket, LINGER_MESSAGE_DRAIN, text, sizeof(text)), 0);
	assert_string_equal(text, "ok: takes no more; ends when 600 connections have\n");
	group_close_clients(GROUP_LINGERS - 1);
	usleep(300000);
	assert_int_equal(process_wait(&daemon.process, 0), -1);
	close(group_pairs[GROUP_LINGERS - 1].client);
	assert_int_equal(process_wait(&daemon.process, GROUP_PATIENCE_S), 0);
	assert_true(file_contains(daemon.process.err, "ended: 600 handoffs: 600 fin;"));
	remove_folder(daemon.folder);
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
	};

	return cmocka_run_group_tests(tests, group_raise_limit, NULL);
}
