#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The preload library when a signal comes in the middle of a handoff or of fork(): the program has shutdown() and
# getsockopt() of its own, which the library calls, and raises the signal there.
# shellcheck source=tests/cli/preload.common
. tests/cli/preload.common

cat >"$work/signals.c" <<'C'
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include "preload_pair.h"

static sigjmp_buf out;
static struct pair one, other;
static volatile sig_atomic_t in_shutdown, in_getsockopt, handled;

static void raise_if(volatile sig_atomic_t *armed)
{
	if (*armed) {
		*armed = 0;
		raise(SIGUSR1);
	}
}

int shutdown(int fd, int how)
{
	raise_if(&in_shutdown);
	return syscall(SYS_shutdown, fd, how);
}

int getsockopt(int fd, int level, int option, void *restrict value, socklen_t *restrict length)
{
	raise_if(&in_getsockopt);
	return syscall(SYS_getsockopt, fd, level, option, value, length);
}

static void leave(int signal)
{
	handled++;
	siglongjmp(out, 1);
}

static void close_other(int signal)
{
	handled++;
	close(other.server);
}

static void fork_one(int signal)
{
	pid_t child = fork();

	handled++;
	if (!child)
		_exit(0);
	waitpid(child, NULL, 0);
}

static int unmasked(void)
{
	sigset_t now;

	pthread_sigmask(SIG_SETMASK, NULL, &now);
	for (int i = 1; i < SIGRTMIN; i++)
		if (sigismember(&now, i))
			return 0;
	return 1;
}

static int at_end(struct pair pair)
{
	char byte;

	return read(pair.client, &byte, 1) == 0;
}

static int in_a_handoff(void (*handler)(int))
{
	signal(SIGUSR1, handler);
	in_shutdown = 1;
	if (!sigsetjmp(out, 1))
		close(one.server);
	if (handled != 1 || !at_end(one) || !unmasked())
		return 3;
	close(other.server);
	return at_end(other) ? 0 : 4;
}

/* The child is the last holder of both. */
static int in_fork(void)
{
	int status;
	pid_t child;

	signal(SIGUSR1, close_other);
	in_getsockopt = 1;
	child = fork();
	if (!unmasked())
		_exit(5);
	if (!child) {
		usleep(100000);
		close(one.server);
		close(other.server);
		_exit(0);
	}
	if (handled != 1)
		return 6;
	close(one.server);
	waitpid(child, &status, 0);
	return status || !at_end(one) || !at_end(other) ? 7 : 0;
}

int main(int argc, char **argv)
{
	alarm(20);
	one = open_pair();
	other = open_pair();
	if (!strcmp(argv[1], "leave"))
		return in_a_handoff(leave);
	if (!strcmp(argv[1], "close"))
		return in_a_handoff(close_other);
	if (!strcmp(argv[1], "fork"))
		return in_a_handoff(fork_one);
	return in_fork();
}
C
compile signals -rdynamic

start_lingerd
holders signals 2 leave
holders signals 2 close
holders signals 1 fork # the other one is left to the child, that ends without closing it
holders signals 2 in-fork
exit 0
