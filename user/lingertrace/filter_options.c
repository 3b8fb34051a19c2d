/* SPDX-License-Identifier: MIT */
#include "lingertrace/filter_options.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "common/log.h"
#include "common/number.h"

int filter_options_port(struct trace_options *options, const char *text)
{
	size_t *count = &options->tracer.filter.port_count;
	uint64_t port;

	if (number_parse(text, 1, UINT16_MAX, &port)) {
		log_error("--port %s: not a port (1 to 65535)", text);
		return -EINVAL;
	}
	if (*count == TRACE_PORTS_MAX) {
		log_error("--port: more than %d ports", TRACE_PORTS_MAX);
		return -EINVAL;
	}
	options->ports[(*count)++] = (uint16_t)port;
	options->tracer.filter.ports = options->ports;
	return 0;
}

int filter_options_family(struct trace_options *options, const char *text)
{
	if (!strcmp(text, "ipv4")) {
		options->tracer.filter.family = AF_INET;
	} else if (!strcmp(text, "ipv6")) {
		options->tracer.filter.family = AF_INET6;
	} else {
		log_error("--family %s: neither ipv4 nor ipv6", text);
		return -EINVAL;
	}
	return 0;
}

/* 0 and its inode, -EINVAL if it is another kind of file, or the negative errno of opening it. */
static int netns_of_path(const char *path, uint64_t *ret)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat status;
	int error = 0;

	if (fd < 0)
		return -errno;
	if (ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWNET || fstat(fd, &status))
		error = -EINVAL;
	else
		*ret = status.st_ino;
	close(fd);
	return error;
}

/* A bare name is one of ip-netns(8). */
static int netns_of_name(const char *text, uint64_t *ret)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s%s", strchr(text, '/') ? "" : "/run/netns/", text);
	return netns_of_path(path, ret);
}

int filter_options_netns(struct trace_options *options, const char *text)
{
	uint64_t inode = 0;
	int error;

	if (number_parse(text, 1, UINT32_MAX, &inode)) {
		error = netns_of_name(text, &inode);
		if (error == -EINVAL || (error == -ENOENT && !strchr(text, '/')))
			log_error("--netns %s: no network namespace; give the name of one "
				  "(ip netns list), "
				  "/proc/PID/ns/net or its inode",
				  text);
		else if (error)
			log_error("--netns %s: %s", text, strerror(-error));
		if (error)
			return -EINVAL;
	}
	options->tracer.filter.netns = (uint32_t)inode;
	return 0;
}

int filter_options_cgroup(struct trace_options *options, const char *text)
{
	struct statfs file_system;
	struct stat status;

	if (statfs(text, &file_system) || stat(text, &status)) {
		log_error("--cgroup %s: %s", text, strerror(errno));
		return -EINVAL;
	}
	if (file_system.f_type != CGROUP2_SUPER_MAGIC || !S_ISDIR(status.st_mode)) {
		log_error("--cgroup %s: no folder of a cgroup2 file system, such as those in "
			  "/sys/fs/cgroup",
			  text);
		return -EINVAL;
	}
	options->tracer.filter.cgroup = status.st_ino;
	return 0;
}

/* The process that the thread belongs to; 0: there is none. */
static uint64_t process_of(uint64_t thread)
{
	char path[64], line[128];
	uint64_t process = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%llu/status", (unsigned long long)thread);
	file = fopen(path, "re");
	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file)) {
		if (strncmp(line, "Tgid:\t", 6) != 0)
			continue;
		line[strcspn(line, "\n")] = '\0';
		if (number_parse(line + 6, 1, UINT32_MAX, &process))
			process = 0;
		break;
	}
	fclose(file);
	return process;
}

int filter_options_pid(struct trace_options *options, const char *text)
{
	uint64_t pid, process;

	if (number_parse(text, 1, INT32_MAX, &pid)) {
		log_error("--pid %s: not a process id", text);
		return -EINVAL;
	}
	process = process_of(pid);
	if (!process) {
		log_error("--pid %s: there is no such process", text);
		return -EINVAL;
	}
	if (process != pid) {
		log_error("--pid %s: a thread of process %llu; give that", text,
			  (unsigned long long)process);
		return -EINVAL;
	}
	options->tracer.filter.pid = (uint32_t)pid;
	return 0;
}

int filter_options_comm(struct trace_options *options, const char *text)
{
	size_t length = strlen(text);

	if (!length || length >= CLOSE_TRACE_COMM_SIZE) {
		log_error("--comm %s: the name of a process has 1 to %d bytes, as in "
			  "/proc/PID/comm",
			  text, CLOSE_TRACE_COMM_SIZE - 1);
		return -EINVAL;
	}
	memset(options->tracer.filter.comm, 0, CLOSE_TRACE_COMM_SIZE);
	memcpy(options->tracer.filter.comm, text, length);
	return 0;
}
