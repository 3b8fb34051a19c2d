/* SPDX-License-Identifier: MIT */
#include "lingerbench/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "lingerbench/child.h"
#include "lingerbench/locate.h"
#include "lingerctl/ask.h"

enum { START_LIMIT_S = 5, STOP_LIMIT_S = 10 };

static _Noreturn void become_lingerd(const char *path, const char *socket_path,
				     const struct strategy_settings *settings, const char *log_path)
{
	char idle[32], total[32];
	int log = open(log_path, O_WRONLY | O_CREAT | O_APPEND, 0644);

	if (log >= 0) {
		dup2(log, STDERR_FILENO);
		close(log);
	}
	snprintf(idle, sizeof(idle), "%.6f", (double)settings->idle_timeout_ns / 1e9);
	snprintf(total, sizeof(total), "%.6f", (double)settings->total_timeout_ns / 1e9);
	/* The folder says who may reach the socket. */
	execl(path, "lingerd", "--socket", socket_path, "--socket-mode", "0666", "--idle-timeout",
	      idle, "--total-timeout", total, (char *)NULL);
	log_error("cannot run %s: %s", path, strerror(errno));
	_exit(127);
}

static int try_connect(const char *socket_path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd, error;

	if (strlen(socket_path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	strcpy(address.sun_path, socket_path);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	error = connect(fd, (struct sockaddr *)&address, sizeof(address)) ? -errno : 0;
	close(fd);
	return error;
}

static int wait_until_listening(pid_t pid, const char *socket_path)
{
	uint64_t deadline = clock_now_ns() + START_LIMIT_S * NS_PER_S;

	for (;;) {
		int error = try_connect(socket_path);

		if (error != -ENOENT && error != -ECONNREFUSED)
			return error;
		if (child_has_ended(pid))
			return -ECHILD;
		if (clock_now_ns() > deadline)
			return -ETIMEDOUT;
		usleep(1000);
	}
}

pid_t daemon_start(const char *socket_path, const struct strategy_settings *settings,
		   const char *log_path)
{
	char path[PATH_MAX];
	int error = locate_program("lingerd", path);
	pid_t pid;

	if (error) {
		log_error("cannot find lingerd, neither beside this program nor in ../sbin: %s; "
			  "make builds it, "
			  "make install installs it",
			  strerror(-error));
		return error;
	}
	pid = child_fork();
	if (pid < 0) {
		log_error("cannot fork: %s", strerror(-pid));
		return pid;
	}
	if (!pid)
		become_lingerd(path, socket_path, settings, log_path);
	error = wait_until_listening(pid, socket_path);
	if (error) {
		daemon_stop(pid);
		log_error("lingerd does not listen on %s (%s); it said, in %s:", socket_path,
			  strerror(-error), log_path);
		child_show_log(log_path);
		return error;
	}
	return pid;
}

int daemon_handoffs(const char *socket_path, uint64_t *ret)
{
	char text[65536];
	const char *line;
	int error = ask(socket_path, LINGER_MESSAGE_STATUS, text, sizeof(text));

	if (error)
		return error;
	line = strstr(text, "\nhandoffs ");
	return line && sscanf(line, " handoffs %" SCNu64, ret) == 1 ? 0 : -EPROTO;
}

int daemon_stop(pid_t pid)
{
	if (!child_has_ended(pid))
		kill(pid, SIGTERM);
	return child_wait(pid, STOP_LIMIT_S);
}
