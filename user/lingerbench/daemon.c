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
#include "lingerbench/kernel_drain.h"
#include "lingerbench/locate.h"
#include "lingerctl/ask.h"

enum { START_LIMIT_S = 5, STOP_LIMIT_S = 10 };

/* What it is started with. */
struct command {
	char path[PATH_MAX];
	char socket[PATH_MAX];
	char log[PATH_MAX];
	char table[PATH_MAX]; /* of the drain in the kernel */
	char idle[32], total[32];
};

static void write_to(const char *path)
{
	int log = open(path, O_WRONLY | O_CREAT | O_APPEND, 0644);

	if (log >= 0) {
		dup2(log, STDERR_FILENO);
		close(log);
	}
}

static _Noreturn void become_lingerd(struct command *command, const char *folder,
				     bool drains_in_kernel)
{
	const char *drain = drains_in_kernel ? "kernel" : "discard";

	write_to(command->log);
	strcpy(command->table, "/none");
	if (drains_in_kernel && kernel_drain_load(folder, command->table))
		_exit(1);
	/* The folder says who may reach the socket. */
	execl(command->path, "lingerd", "--socket", command->socket, "--socket-mode", "0666",
	      "--idle-timeout", command->idle, "--total-timeout", command->total, "--drain", drain,
	      "--drain-table", command->table, (char *)NULL);
	log_error("cannot run %s: %s", command->path, strerror(errno));
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

static int counter(const char *socket_path, const char *name, uint64_t *ret)
{
	char text[65536], form[64];
	const char *line;
	int error = ask(socket_path, LINGER_MESSAGE_STATUS, text, sizeof(text));

	if (error)
		return error;
	snprintf(form, sizeof(form), "\n%s ", name);
	line = strstr(text, form);
	return line && sscanf(line + strlen(form), "%" SCNu64, ret) == 1 ? 0 : -EPROTO;
}

int daemon_handoffs(const char *socket_path, uint64_t *ret)
{
	return counter(socket_path, "handoffs", ret);
}

/* It would read where it cannot: then it is another strategy. */
static int check_drain(const char *socket_path)
{
	uint64_t drains = 0;
	int error = counter(socket_path, "drains_in_kernel", &drains);

	return error || drains ? error : -EOPNOTSUPP;
}

void daemon_socket(const char *folder, char ret[PATH_MAX])
{
	snprintf(ret, PATH_MAX, "%.*s/lingerd.sock", PATH_MAX - 16, folder);
}

static int prepare(struct command *command, const char *folder,
		   const struct strategy_settings *settings)
{
	int error = locate_program("lingerd", command->path);

	daemon_socket(folder, command->socket);
	snprintf(command->log, sizeof(command->log), "%.*s/lingerd.log", PATH_MAX - 16, folder);
	snprintf(command->idle, sizeof(command->idle), "%.6f",
		 (double)settings->idle_timeout_ns / 1e9);
	snprintf(command->total, sizeof(command->total), "%.6f",
		 (double)settings->total_timeout_ns / 1e9);
	if (error)
		log_error("cannot find lingerd, neither beside this program nor in ../sbin: %s; "
			  "make builds it, make install installs it",
			  strerror(-error));
	return error;
}

pid_t daemon_start(const char *folder, const struct strategy_settings *settings,
		   bool drains_in_kernel)
{
	struct command command;
	int error = prepare(&command, folder, settings);
	pid_t pid;

	if (error)
		return error;
	pid = child_fork();
	if (pid < 0) {
		log_error("cannot fork: %s", strerror(-pid));
		return pid;
	}
	if (!pid)
		become_lingerd(&command, folder, drains_in_kernel);
	error = wait_until_listening(pid, command.socket);
	if (!error && drains_in_kernel)
		error = check_drain(command.socket);
	if (error) {
		daemon_stop(pid);
		log_error("lingerd does not serve on %s (%s); it said, in %s:", command.socket,
			  strerror(-error), command.log);
		child_show_log(command.log);
		return error;
	}
	return pid;
}

int daemon_stop(pid_t pid)
{
	if (!child_has_ended(pid))
		kill(pid, SIGTERM);
	return child_wait(pid, STOP_LIMIT_S);
}
