/* SPDX-License-Identifier: MIT */
#include "lingerd/background.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/log.h"

static const char READY = 'r';

/* The child's end of the pipe is closed without a word when it could not start. */
static void __attribute__((noreturn)) wait_for(pid_t child, int news)
{
	char word = 0;
	int status = 0;
	ssize_t got;

	do
		got = read(news, &word, 1);
	while (got < 0 && errno == EINTR);
	if (got == 1 && word == READY)
		_exit(0);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	_exit(WIFEXITED(status) && WEXITSTATUS(status) ? WEXITSTATUS(status) : 1);
}

static int fork_child(int *ret_starter)
{
	int ends[2];
	pid_t child;
	int error;

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	child = fork();
	if (child > 0) {
		close(ends[1]);
		wait_for(child, ends[0]);
	}
	error = -errno;
	close(ends[0]);
	if (child < 0) {
		close(ends[1]);
		return error;
	}
	*ret_starter = ends[1];
	return 0;
}

static int fail(struct problem *problem, const char *what, int error)
{
	problem_say(problem, "cannot go to the background: %s%s", what, strerror(-error));
	return error;
}

/* Sockets that a service manager passes are meant for one process, this one, and not for its child. */
static bool is_passed_sockets(void)
{
	const char *meant = getenv("LISTEN_PID");

	return meant && strtol(meant, NULL, 10) == (long)getpid();
}

/* What a shell has left open, and what was passed to another process. */
static void close_inherited(void)
{
	close_range(STDERR_FILENO + 1, ~0U, 0);
	log_never_wait(); /* its descriptor was among them */
	/* The child might have the number of that process. */
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
}

int background_enter(struct background *ret, struct problem *problem)
{
	int error;

	if (is_passed_sockets()) {
		problem_say(problem, "a service manager passes sockets (LISTEN_PID): it waits for "
				     "this process itself; leave --background out");
		return -EINVAL;
	}
	close_inherited();
	if (chdir("/"))
		return fail(problem, "chdir to /: ", -errno);
	ret->null = open("/dev/null", O_RDWR | O_CLOEXEC);
	error = ret->null < 0 ? -errno : fork_child(&ret->starter);
	if (error) {
		if (ret->null >= 0)
			close(ret->null);
		return fail(problem, "", error);
	}
	setsid();
	return 0;
}

void background_ready(struct background *background)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		dup2(background->null, fd);
	log_never_wait();
	if (background->null > STDERR_FILENO)
		close(background->null);
	while (write(background->starter, &READY, 1) < 0 && errno == EINTR)
		;
	close(background->starter);
	background->starter = -1;
}
