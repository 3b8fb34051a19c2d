/* SPDX-License-Identifier: MIT */
#include "lingerd/kernel_drain.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static int call_bpf(enum bpf_cmd command, union bpf_attr *attributes)
{
	long result = syscall(SYS_bpf, command, attributes, sizeof(*attributes));

	return result < 0 ? -errno : (int)result;
}

int kernel_drain_add(int table, int fd)
{
	uint64_t cookie, value = (uint64_t)fd;
	socklen_t length = sizeof(cookie);
	union bpf_attr update;

	if (getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &length))
		return -errno;
	memset(&update, 0, sizeof(update));
	update.map_fd = (uint32_t)table;
	update.key = (uintptr_t)&cookie;
	update.value = (uintptr_t)&value;
	return call_bpf(BPF_MAP_UPDATE_ELEM, &update);
}

uint32_t kernel_drain_received(int fd)
{
	/* The kernel stops at the end of what it is asked for. */
	enum { UP_TO_THERE = offsetof(struct tcp_info, tcpi_bytes_received) + sizeof(uint64_t) };
	struct tcp_info info = { 0 };
	socklen_t length = UP_TO_THERE;

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) || length < UP_TO_THERE)
		return 0;
	return (uint32_t)info.tcpi_bytes_received;
}

uint32_t kernel_drain_consumed(int fd)
{
	uint32_t received = kernel_drain_received(fd), before;
	int queued = 0;

	for (int i = 0; i < 3; i++) {
		before = received;
		if (ioctl(fd, FIONREAD, &queued))
			return before;
		received = kernel_drain_received(fd);
		if (received == before)
			break;
	}
	return received - (uint32_t)queued;
}

uint32_t kernel_drain_unread(int fd)
{
	int queued;

	return ioctl(fd, FIONREAD, &queued) || queued < 0 ? 0 : (uint32_t)queued;
}

static int open_table(const char *path)
{
	union bpf_attr get;

	memset(&get, 0, sizeof(get));
	get.pathname = (uintptr_t)path;
	return call_bpf(BPF_OBJ_GET, &get);
}

static bool is_table(int fd)
{
	struct bpf_map_info about = { 0 };
	union bpf_attr ask;

	memset(&ask, 0, sizeof(ask));
	ask.info.bpf_fd = (uint32_t)fd;
	ask.info.info = (uintptr_t)&about;
	ask.info.info_len = sizeof(about);
	return !call_bpf(BPF_OBJ_GET_INFO_BY_FD, &ask) && about.type == BPF_MAP_TYPE_SOCKHASH &&
	       about.key_size == sizeof(uint64_t) && about.value_size == sizeof(uint64_t);
}

/* -- The self-test -- */

enum { WAIT_MS = 200, BYTES = 1000 };

struct ends {
	int server;
	int client;
};

static bool is_told(int fd, short events)
{
	struct pollfd look = { .fd = fd, .events = events };

	return poll(&look, 1, WAIT_MS) == 1;
}

static int connect_ends(struct ends *ret)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), error = 0;

	*ret = (struct ends){ -1, -1 };
	if (listener < 0)
		return -errno;
	ret->client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (ret->client < 0 || bind(listener, (struct sockaddr *)&address, length) ||
	    listen(listener, 1) || getsockname(listener, (struct sockaddr *)&address, &length) ||
	    (connect(ret->client, (struct sockaddr *)&address, length) && errno != EINPROGRESS))
		error = -errno;
	else if (!is_told(listener, POLLIN))
		error = -ETIMEDOUT;
	else
		ret->server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (!error && ret->server < 0)
		error = -errno;
	close(listener);
	return error;
}

static void close_ends(const struct ends *ends)
{
	if (ends->server >= 0)
		close(ends->server);
	if (ends->client >= 0)
		close(ends->client);
}

static bool sends(const struct ends *ends)
{
	static const char bytes[BYTES];

	return send(ends->client, bytes, sizeof(bytes), MSG_NOSIGNAL) == sizeof(bytes);
}

static bool has_come(const struct ends *ends, uint32_t bytes)
{
	for (int ms = 0; kernel_drain_received(ends->server) < bytes; ms++)
		if (ms == WAIT_MS || poll(NULL, 0, 1) < 0)
			return false;
	return true;
}

static ssize_t read_now(int fd)
{
	char bytes[BYTES];
	ssize_t length = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	return length < 0 ? -errno : length;
}

/* Bytes before it is put in and after, then both ends, in order. What went wrong; NULL: nothing. */
static const char *try_connection(int table, const struct ends *ends)
{
	if (!sends(ends) || !has_come(ends, BYTES))
		return "a connection on loopback carries nothing";
	if (kernel_drain_add(table, ends->server))
		return "the kernel takes no connection into the table";
	if (read_now(ends->server) != -EAGAIN)
		return "what had come before is not thrown away";
	if (shutdown(ends->server, SHUT_WR) || !sends(ends) || !has_come(ends, 2 * BYTES))
		return "it is not taken what comes";
	if (read_now(ends->server) != -EAGAIN)
		return "what comes is not thrown away";
	if (read_now(ends->client) != 0)
		return "the peer does not see the half-close";
	if (shutdown(ends->client, SHUT_WR) || !is_told(ends->server, POLLRDHUP) ||
	    read_now(ends->server) != 0)
		return "the peer's FIN is not told";
	return NULL;
}

static int test(int table, struct problem *problem)
{
	const char *wrong = NULL;
	struct ends ends;
	int error = connect_ends(&ends);

	if (error)
		problem_say(problem, "no connection on loopback to try it: %s", strerror(-error));
	else
		wrong = try_connection(table, &ends);
	if (wrong) {
		problem_say(problem, "the self-test failed: %s", wrong);
		error = -EPROTO;
	}
	close_ends(&ends);
	return error;
}

int kernel_drain_open(const char *table_path, struct problem *problem)
{
	int table = open_table(table_path), error;

	if (table < 0) {
		problem_say(problem, "%s: %s; \"lingerd-drain load\" makes it", table_path,
			    strerror(-table));
		return table;
	}
	error = is_table(table) ? test(table, problem) : -EINVAL;
	if (error == -EINVAL)
		problem_say(problem, "%s is no table of lingerd-drain", table_path);
	if (error) {
		close(table);
		return error;
	}
	return table;
}
