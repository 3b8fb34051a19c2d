/* SPDX-License-Identifier: MIT */
#include "lingerbench/path.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "lingerbench/child.h"

#define SERVER_ADDRESS "192.0.2.1"
#define CLIENT_ADDRESS "192.0.2.2"
#define SERVER_LINK    "02:00:00:00:00:01"
#define CLIENT_LINK    "02:00:00:00:00:02"

enum { COMMAND_SIZE = 256, WORDS_MAX = 32, COMMAND_LIMIT_S = 10, NETNS_OWN = -1 };

static _Noreturn void become(int netns, char *command, int output)
{
	char *words[WORDS_MAX + 1] = { NULL };
	char *rest = command;
	int count = 0;

	if (netns != NETNS_OWN && setns(netns, CLONE_NEWNET))
		_exit(126);
	dup2(output, STDOUT_FILENO);
	dup2(output, STDERR_FILENO);
	for (char *word; count < WORDS_MAX && (word = strtok_r(NULL, " ", &rest));)
		words[count++] = word;
	if (!count)
		_exit(127);
	execvp(words[0], words);
	dprintf(STDERR_FILENO, "%s: %s", words[0], strerror(errno));
	_exit(127);
}

/* The first line that a command says, without its end. */
static void read_line(int fd, char *line, size_t size)
{
	ssize_t n = read(fd, line, size - 1);

	line[n > 0 ? n : 0] = '\0';
	line[strcspn(line, "\n")] = '\0';
}

/* Runs a tool of iproute2 in that namespace. 0, or a negative errno with what it said in said[]. */
static int run_tool(int netns, const char *command, char *said, size_t size)
{
	char copy[COMMAND_SIZE];
	int output[2], status;
	pid_t pid;

	if (pipe2(output, O_CLOEXEC))
		return -errno;
	snprintf(copy, sizeof(copy), "%s", command);
	pid = child_fork();
	if (!pid)
		become(netns, copy, output[1]);
	close(output[1]);
	if (pid < 0) {
		close(output[0]);
		return pid;
	}
	/* A line fits into the pipe, whoever waits for whom. */
	status = child_wait(pid, COMMAND_LIMIT_S);
	read_line(output[0], said, size);
	close(output[0]);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		return -ENOENT;
	return status ? -EIO : 0;
}

__attribute__((format(printf, 2, 3))) static int configure(int netns, const char *format, ...)
{
	char command[COMMAND_SIZE], said[256];
	va_list arguments;
	int error;

	va_start(arguments, format);
	vsnprintf(command, sizeof(command), format, arguments);
	va_end(arguments);
	error = run_tool(netns, command, said, sizeof(said));
	if (error == -ENOENT)
		log_error("[path] takes ip and tc, which are not here (%s); install " PATH_PACKAGE,
			  said);
	else if (error && strstr(command, "netem"))
		log_error("[path] takes netem, which this kernel has not (%s); \"make run-scenario "
			  "SCENARIO=... VM=1\" runs it on Debian's kernel",
			  said);
	else if (error)
		log_error("[path] \"%s\" failed: %s", command, said);
	return error;
}

static int write_sysctl(const struct path_sysctl *sysctl, const char *scenario)
{
	const struct inifile_place place = { .file = scenario, .line = sysctl->line };
	char path[160] = "/proc/sys/";
	size_t length = strlen(path);
	FILE *file;
	int error = 0;

	snprintf(path + length, sizeof(path) - length, "%s", sysctl->name);
	for (char *dot = path + length; (dot = strchr(dot, '.'));)
		*dot = '/';
	file = fopen(path, "we");
	if (!file || fprintf(file, "%s\n", sysctl->value) < 0 || fflush(file))
		error = -errno;
	if (file)
		fclose(file);
	if (error == -ENOENT || error == -EACCES)
		inifile_complain(place, "%s: a network namespace has no such setting",
				 sysctl->name);
	else if (error)
		inifile_complain(place, "%s = %s: %s", sysctl->name, sysctl->value,
				 strerror(-error));
	return error;
}

/* This process is in a new one then, with its loopback up. */
static int move_to_new_netns(const struct path_settings *settings, const char *file)
{
	int error = 0;

	if (unshare(CLONE_NEWNET)) {
		error = -errno;
		log_error("[path] and [sysctl] take a network namespace: %s%s", strerror(-error),
			  error == -EPERM ? "; only root may make one" : "");
		return error;
	}
	error = configure(NETNS_OWN, "ip link set lo up");
	for (size_t i = 0; i < settings->sysctl_count && !error; i++)
		error = write_sysctl(&settings->sysctls[i], file);
	return error;
}

static int impair(int netns, const struct path_settings *settings, const char *name)
{
	int error = configure(netns, "ip link set %s gso_max_segs 1", name);
	char reorder[32] = "";

	if (error)
		return error;

	/* tc refuses even 0 % of it without a delay. */
	if (settings->reorder_percent > 0)
		snprintf(reorder, sizeof(reorder), " reorder %g%%", settings->reorder_percent);
	return configure(netns,
			 "tc qdisc add dev %s root netem limit 100000 delay %lluus %lluus loss "
			 "%g%%%s",
			 name, (unsigned long long)(settings->delay_ns / NS_PER_US),
			 (unsigned long long)(settings->jitter_ns / NS_PER_US),
			 settings->loss_percent, reorder);
}

/* One end of the link, which is in that namespace by now. */
static int configure_end(int netns, const struct path_settings *settings, const char *name,
			 const char *address, const char *peer_address, const char *peer_link)
{
	int error = configure(netns, "ip address add %s/24 dev %s", address, name);

	if (!error)
		error = configure(netns, "ip link set %s up", name);
	if (!error)
		error = configure(netns, "ip neighbour add %s lladdr %s dev %s nud permanent",
				  peer_address, peer_link, name);
	if (!error && path_settings_impair(settings))
		error = impair(netns, settings, name);
	return error;
}

static int make_link(struct path *path, const struct path_settings *settings)
{
	int clients = path->clients_netns;
	int error = configure(clients, "ip link add lb-client address " CLIENT_LINK
				       " type veth peer name lb-server address " SERVER_LINK);

	if (!error)
		error = configure(clients, "ip link set lb-server netns %d", (int)getpid());
	if (!error)
		error = configure_end(clients, settings, "lb-client", CLIENT_ADDRESS,
				      SERVER_ADDRESS, SERVER_LINK);
	if (!error)
		error = configure_end(NETNS_OWN, settings, "lb-server", SERVER_ADDRESS,
				      CLIENT_ADDRESS, CLIENT_LINK);
	return error;
}

static int make_clients_netns(struct path *path, const struct path_settings *settings,
			      const char *file)
{
	int error = move_to_new_netns(settings, file);

	if (error)
		return error;
	path->clients_netns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (path->clients_netns >= 0)
		return 0;
	error = -errno;
	log_error("[path] /proc/self/ns/net: %s", strerror(-error));
	return error;
}

int path_open(struct path *ret, const struct path_settings *settings, const char *file)
{
	bool link = settings->kind == PATH_VETH;
	int error = 0;

	*ret = (struct path){ .clients_netns = -1 };
	strcpy(ret->server_address, link ? SERVER_ADDRESS : "127.0.0.1");
	if (!path_settings_are_apart(settings))
		return 0;
	if (link)
		error = make_clients_netns(ret, settings, file);
	if (!error)
		error = move_to_new_netns(settings, file);
	if (!error && link)
		error = make_link(ret, settings);
	return error;
}

int path_enter_as_client(const struct path *path)
{
	if (path->clients_netns >= 0 && setns(path->clients_netns, CLONE_NEWNET))
		return -errno;
	return 0;
}

void path_close(struct path *path)
{
	if (path->clients_netns >= 0)
		close(path->clients_netns);
	path->clients_netns = -1;
}
