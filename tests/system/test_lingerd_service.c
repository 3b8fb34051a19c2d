/* SPDX-License-Identifier: MIT */
/*
 * What lingerd does under a service manager, whose part of the protocol the test plays: sockets passed
 * (LISTEN_FDS), notices (NOTIFY_SOCKET), the store of descriptors. tests/vm/ does it with systemd itself.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "liblinger/linger.h"
#include "tests/support/lingerd.h"
#include "tests/support/tcp.h"

enum { STORE_MAX = 8, NOTICE_SIZE = 512 };

struct manager {
	struct lingerd daemon; /* its process, folder and socket */
	int listener;
	int notices; /* AF_UNIX datagrams */
	char notify_path[300];
	int store[STORE_MAX];
	int stored;
};

static int bind_socket(const char *path, int type)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, type, 0);

	assert_true(fd >= 0);
	strcpy(address.sun_path, path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static int set_up(void **state)
{
	static struct manager manager;
	struct lingerd *daemon = &manager.daemon;

	manager = (struct manager){ .stored = 0 };
	make_folder(daemon->folder);
	snprintf(daemon->socket, sizeof(daemon->socket), "%.200s/s", daemon->folder);
	snprintf(manager.notify_path, sizeof(manager.notify_path), "%.200s/notify", daemon->folder);
	manager.listener = bind_socket(daemon->socket, SOCK_SEQPACKET);
	assert_int_equal(listen(manager.listener, 64), 0);
	manager.notices = bind_socket(manager.notify_path, SOCK_DGRAM);
	*state = &manager;
	return 0;
}

static int tear_down(void **state)
{
	struct manager *manager = *state;

	close(manager->listener);
	close(manager->notices);
	for (int i = 0; i < manager->stored; i++)
		close(manager->store[i]);
	remove_folder(manager->daemon.folder);
	return 0;
}

/* Starts it with the listening socket as fd 3, and what is in the store behind it. */
static void start(struct manager *manager, const char *name, const char *options)
{
	char script[1024], names[256] = "lingerd.socket";
	const char *argv[] = { "/bin/bash", "-c", script, NULL };
	int at = 0, fds[1 + STORE_MAX] = { manager->listener };

	at += snprintf(script + at, sizeof(script) - (size_t)at,
		       "export NOTIFY_SOCKET=%s WATCHDOG_USEC=400000 LISTEN_PID=$$ LISTEN_FDS=%d ",
		       manager->notify_path, 1 + manager->stored);
	for (int i = 0; i < manager->stored; i++) {
		strcat(names, ":lingerd-succession");
		fds[1 + i] = manager->store[i];
	}
	at += snprintf(script + at, sizeof(script) - (size_t)at, "LISTEN_FDNAMES=%s; exec %s %s",
		       names, built("lingerd"), options);
	for (int i = 0; i <= manager->stored; i++)
		at += snprintf(script + at, sizeof(script) - (size_t)at, " %d<&%d", 3 + i, fds[i]);
	process_start(&manager->daemon.process, manager->daemon.folder, name, (char *const *)argv);
}

static void keep(struct manager *manager, struct msghdr *message, int *ret_barrier)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		int fds[STORE_MAX];

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		memcpy(fds, CMSG_DATA(c), count * sizeof(int));
		for (size_t i = 0; i < count; i++)
			*ret_barrier = fds[i];
		if (!strstr(message->msg_iov->iov_base, "FDSTORE=1"))
			continue;
		for (size_t i = 0; i < count; i++)
			manager->store[manager->stored++] = fds[i];
		*ret_barrier = -1;
	}
}

/* Waits for a notice that has this text in it; those before it are taken, too. */
static void expect_notice(struct manager *manager, const char *text)
{
	struct pollfd look = { .fd = manager->notices, .events = POLLIN };
	char notice[NOTICE_SIZE] = "";

	do {
		char space[CMSG_SPACE(STORE_MAX * sizeof(int))];
		struct iovec bytes = { .iov_base = notice, .iov_len = sizeof(notice) - 1 };
		struct msghdr message = { .msg_iov = &bytes,
					  .msg_iovlen = 1,
					  .msg_control = space,
					  .msg_controllen = sizeof(space) };
		int barrier = -1;
		ssize_t length;

		if (poll(&look, 1, 30000) != 1)
			fail_msg("no notice '%s'; the last one was '%s'", text, notice);
		length = recvmsg(manager->notices, &message, 0);
		assert_true(length > 0);
		notice[length] = '\0';
		keep(manager, &message, &barrier);
		if (barrier >= 0)
			close(barrier);
	} while (!strstr(notice, text));
}

static struct tcp_pair hand_one_over(const struct manager *manager)
{
	struct tcp_pair pair = tcp_pair_open();
	struct linger_client *client;

	assert_int_equal(linger_client_open(&client, manager->daemon.socket), 0);
	assert_int_equal(linger_handoff(client, pair.server), 0);
	linger_client_close(client);
	close(pair.server);
	return pair;
}

static void it_serves_the_socket_that_it_is_passed(void **state)
{
	struct manager *manager = *state;
	struct tcp_pair pair = hand_one_over(manager); /* before it has started */

	start(manager, "lingerd", "");
	expect_notice(manager, "READY=1");
	close(pair.client);
	lingerd_expect(&manager->daemon, "ended_fin", 1);
	expect_notice(manager, "STATUS=0 connections linger");
	kill(manager->daemon.process.pid, SIGHUP);
	expect_notice(manager, "RELOADING=1");
	expect_notice(manager, "READY=1");
	kill(manager->daemon.process.pid, SIGTERM);
	expect_notice(manager, "STOPPING=1");
	assert_int_equal(process_wait(&manager->daemon.process, 30), 0);
	assert_int_equal(access(manager->daemon.socket, F_OK), 0); /* it is not the daemon's */
}

static void the_watchdog_hears_of_a_loop_that_runs_and_of_no_other(void **state)
{
	struct manager *manager = *state;
	char notice[NOTICE_SIZE];

	start(manager, "lingerd", "");
	expect_notice(manager, "WATCHDOG=1");
	expect_notice(manager, "WATCHDOG=1");
	kill(manager->daemon.process.pid, SIGSTOP);
	usleep(200000); /* what was on its way */
	while (recv(manager->notices, notice, sizeof(notice), MSG_DONTWAIT) > 0)
		;
	usleep(1000000);
	assert_int_equal(recv(manager->notices, notice, sizeof(notice), MSG_DONTWAIT), -1);
	kill(manager->daemon.process.pid, SIGCONT);
	expect_notice(manager, "WATCHDOG=1");
	assert_int_equal(process_end(&manager->daemon.process, SIGTERM, 30), 0);
}

static void survive_a_restart(struct manager *manager, const char *options)
{
	enum { COUNT = 40 };
	struct tcp_pair pairs[COUNT];
	struct tcp_pair meanwhile;
	size_t length;

	start(manager, "first", options);
	expect_notice(manager, "READY=1");
	for (int i = 0; i < COUNT; i++)
		pairs[i] = hand_one_over(manager);
	lingerd_expect(&manager->daemon, "lingers", COUNT);
	kill(manager->daemon.process.pid, SIGTERM);
	expect_notice(manager, "FDSTORE=1");
	expect_notice(manager, "BARRIER=1");
	assert_int_equal(process_wait(&manager->daemon.process, 30), 0);
	assert_true(manager->stored > 0);
	assert_true(file_contains(manager->daemon.process.err, "left 40 connections"));

	meanwhile = hand_one_over(manager);
	for (int i = 0; i < COUNT; i++)
		assert_int_equal(tcp_write(pairs[i].client, 100), 0);
	start(manager, "second", options);
	expect_notice(manager, "FDSTOREREMOVE=1");
	expect_notice(manager, "READY=1");
	lingerd_expect(&manager->daemon, "restored", COUNT);
	lingerd_expect(&manager->daemon, "handoffs", 1);
	lingerd_expect(&manager->daemon, "drained_bytes", COUNT * 100);
	for (int i = 0; i < COUNT; i++) {
		assert_int_equal(tcp_read_to_end(pairs[i].client, &length), 0);
		close(pairs[i].client);
	}
	close(meanwhile.client);
	lingerd_expect(&manager->daemon, "ended_fin", COUNT + 1);
	assert_int_equal(process_end(&manager->daemon.process, SIGTERM, 30), 0);
}

static void what_lingers_survives_a_restart_in_the_store(void **state)
{
	survive_a_restart(*state, "--fd-store on --stop-grace 0 --idle-timeout 300 "
				  "--total-timeout 300");
}

/* The first process keeps twelve of them at most. */
static void what_lingers_in_other_processes_survives_a_restart_too(void **state)
{
	survive_a_restart(*state, "--fd-store on --stop-grace 0 --idle-timeout 300 "
				  "--total-timeout 300 --workers 4 --max-connections 48");
}

/* Their servers have been told that all is well: what waits for room is as good as taken. */
static void what_waits_for_room_survives_a_restart_too(void **state)
{
	enum { COUNT = 30 };
	static const char options[] = "--fd-store on --stop-grace 0 --idle-timeout 300 "
				      "--total-timeout 300 --max-connections";
	struct manager *manager = *state;
	struct tcp_pair pairs[COUNT];
	char words[200];
	size_t length;

	snprintf(words, sizeof(words), "%s 10", options);
	start(manager, "first", words);
	for (int i = 0; i < COUNT; i++)
		pairs[i] = hand_one_over(manager);
	lingerd_expect(&manager->daemon, "lingers", 10);
	kill(manager->daemon.process.pid, SIGTERM);
	expect_notice(manager, "BARRIER=1");
	assert_int_equal(process_wait(&manager->daemon.process, 30), 0);
	assert_true(file_contains(manager->daemon.process.err, "left 30 connections"));

	snprintf(words, sizeof(words), "%s 100", options);
	start(manager, "second", words);
	lingerd_expect(&manager->daemon, "restored", COUNT);
	for (int i = 0; i < COUNT; i++) {
		assert_int_equal(tcp_write(pairs[i].client, 100), 0);
		assert_int_equal(tcp_read_to_end(pairs[i].client, &length), 0);
		close(pairs[i].client);
	}
	lingerd_expect(&manager->daemon, "ended_fin", COUNT);
	assert_int_equal(process_end(&manager->daemon.process, SIGTERM, 30), 0);
}

static void without_the_store_a_stop_has_its_grace_and_cuts_the_rest(void **state)
{
	struct manager *manager = *state;
	struct tcp_pair pair;

	start(manager, "lingerd", "--stop-grace 0.5 --idle-timeout 300");
	expect_notice(manager, "READY=1");
	pair = hand_one_over(manager);
	lingerd_expect(&manager->daemon, "lingers", 1);
	assert_int_equal(process_end(&manager->daemon.process, SIGTERM, 30), 0);
	assert_true(file_contains(manager->daemon.process.err, "ended: 1 handoffs: 1 shutdown;"));
	close(pair.client);
}

static void a_socket_of_another_kind_is_refused(void **state)
{
	struct manager *manager = *state;

	close(manager->listener);
	unlink(manager->daemon.socket);
	manager->listener = bind_socket(manager->daemon.socket, SOCK_STREAM);
	assert_int_equal(listen(manager->listener, 64), 0);
	start(manager, "lingerd", "");
	assert_int_equal(process_wait(&manager->daemon.process, 30), 1);
	assert_true(file_contains(manager->daemon.process.err, "use ListenSequentialPacket="));
}

#define SERVICE_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SERVICE_TEST(it_serves_the_socket_that_it_is_passed),
		SERVICE_TEST(the_watchdog_hears_of_a_loop_that_runs_and_of_no_other),
		SERVICE_TEST(what_lingers_survives_a_restart_in_the_store),
		SERVICE_TEST(what_lingers_in_other_processes_survives_a_restart_too),
		SERVICE_TEST(what_waits_for_room_survives_a_restart_too),
		SERVICE_TEST(without_the_store_a_stop_has_its_grace_and_cuts_the_rest),
		SERVICE_TEST(a_socket_of_another_kind_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
