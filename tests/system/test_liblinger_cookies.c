/* SPDX-License-Identifier: MIT */
/* The client library on a kernel that does not tell a socket's cookie. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "liblinger/linger.h"
#include "tests/support/lingerd.h"
#include "tests/support/tcp.h"

static const char *const patient[] = { "--idle-timeout", "60", "--total-timeout", "60", NULL };

#define LOAD(what)	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, what))
#define UNLESS(value, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, skip)

/* For good, for this process: getsockopt(SO_COOKIE) fails as on kernels before it. */
static bool forget_cookies(void)
{
	struct sock_filter code[] = {
		LOAD(nr),
		UNLESS(__NR_getsockopt, 3),
		LOAD(args[2]),
		UNLESS(SO_COOKIE, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOPROTOOPT),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { .len = sizeof(code) / sizeof(code[0]), .filter = code };

	return !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) &&
	       !prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

/* The lowest number that is free: the next descriptor gets it. */
static int next_fd(void)
{
	int fd = dup(0);

	close(fd);
	return fd;
}

static const char *hand_over(struct linger_client *client, int connections[], int count)
{
	int number = next_fd(), strangers[2];
	char byte;

	if (!forget_cookies())
		return "no filter";
	for (int i = 0; i < count; i++) {
		if (linger_handoff(client, connections[i]))
			return "handoff";
		if (next_fd() != number)
			return "a descriptor was left open";
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, strangers) || strangers[0] != number)
		return "socketpair";
	if (linger_handoff(client, connections[0]))
		return "handoff beside a stranger";
	linger_client_close(client);
	if (recv(strangers[1], &byte, 1, MSG_DONTWAIT) != -1 || errno != EAGAIN)
		return "the stranger got a message";
	return fcntl(number, F_GETFD) ? "the stranger was closed" : NULL;
}

static void without_cookies_each_handoff_connects_anew(void **state)
{
	enum { COUNT = 20 };
	int clients[COUNT], servers[COUNT], status;
	struct linger_client *client;
	struct lingerd daemon;
	pid_t child;

	(void)state;
	lingerd_start(&daemon, patient);
	assert_int_equal(linger_client_open(&client, daemon.socket), 0);
	for (int i = 0; i < COUNT; i++) {
		struct tcp_pair pair = tcp_pair_open();

		clients[i] = pair.client;
		servers[i] = pair.server;
	}
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		const char *failure = hand_over(client, servers, COUNT);

		if (failure)
			print_error("%s\n", failure);
		_exit(failure != NULL);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	lingerd_expect(&daemon, "handoffs", COUNT + 1);
	for (int i = 0; i < COUNT; i++) {
		close(servers[i]);
		close(clients[i]);
	}
	lingerd_expect(&daemon, "ended_fin", COUNT + 1);
	lingerd_expect(&daemon, "senders", 1); /* this question */
	linger_client_close(client);
	lingerd_stop(&daemon);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_cookies_each_handoff_connects_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
