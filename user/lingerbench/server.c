/* SPDX-License-Identifier: MIT */
#include "lingerbench/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "lingerbench/added_hold.h"

enum { HEAD_BYTES = 8192, IO_TIMEOUT_S = 60 };

int server_bind(const char *dotted, uint16_t *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons(*port),
				       .sin_addr.s_addr = inet_addr(dotted) };
	socklen_t length = sizeof(address);
	int on = 1;
	int error;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) ||
	    getsockname(fd, (struct sockaddr *)&address, &length)) {
		error = -errno;
		close(fd);
		return error;
	}
	*port = ntohs(address.sin_port);
	return fd;
}

int server_listen(const char *dotted, uint16_t port)
{
	int fd = server_bind(dotted, &port);
	int error;

	if (fd < 0 || !listen(fd, SOMAXCONN))
		return fd;
	error = -errno;
	close(fd);
	return error;
}

/* Reads up to the empty line, and whatever of a body came along. 0 or a negative errno. */
static int read_head(int fd, char head[HEAD_BYTES])
{
	size_t used = 0;

	while (used < HEAD_BYTES - 1) {
		ssize_t n = recv(fd, head + used, HEAD_BYTES - 1 - used, 0);

		if (n < 0)
			return -errno;
		if (n == 0)
			return -ECONNABORTED;
		used += (size_t)n;
		head[used] = '\0';
		if (strstr(head, "\r\n\r\n"))
			return 0;
	}
	return -EMSGSIZE;
}

static int write_all(int fd, struct iovec *parts, size_t count)
{
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = count };

	while (message.msg_iovlen) {
		ssize_t n = sendmsg(fd, &message, MSG_NOSIGNAL);

		if (n < 0)
			return -errno;
		while (message.msg_iovlen && (size_t)n >= message.msg_iov->iov_len) {
			n -= (ssize_t)message.msg_iov->iov_len;
			message.msg_iov++;
			message.msg_iovlen--;
		}
		if (message.msg_iovlen) {
			message.msg_iov->iov_base = (char *)message.msg_iov->iov_base + n;
			message.msg_iov->iov_len -= (size_t)n;
		}
	}
	return 0;
}

static int respond(int fd, const struct response *response)
{
	char head[HEAD_BYTES];
	char line[256];
	struct iovec parts[2];
	uint64_t connection;
	const char *path;
	int error = read_head(fd, head);

	if (error)
		return error;
	path = strpbrk(head, "0123456789");
	if (!path)
		return -EBADMSG;
	connection = strtoull(path, NULL, 10);
	parts[0].iov_base = line;
	parts[0].iov_len =
		(size_t)snprintf(line, sizeof(line),
				 "HTTP/1.1 %s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n",
				 head[0] == 'P' ? "413 Content Too Large" : "200 OK",
				 response->body_bytes);
	parts[1].iov_base = (void *)response_body(response, connection);
	parts[1].iov_len = response->body_bytes;
	return write_all(fd, parts, 2);
}

static uint64_t socket_cookie(int fd)
{
	uint64_t cookie = 0;
	socklen_t length = sizeof(cookie);

	getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &length);
	return cookie;
}

struct worker {
	const struct server *server;
	int set; /* epoll: the listener, and what the strategy has going on; -1: it has nothing */
	struct strategy_rest rest;
};

static void go_on(struct worker *worker)
{
	const struct server *server = worker->server;
	size_t before = worker->rest.open;

	if (!server->strategy->go_on)
		return;
	server->strategy->go_on(&worker->rest);
	/* All workers' together: what is less here wraps around, as it should. */
	atomic_fetch_add(&server->rows->lingering, worker->rest.open - before);
}

static void serve(struct worker *worker, int fd, const struct sockaddr_in *client)
{
	const struct server *server = worker->server;
	const struct timeval timeout = { .tv_sec = IO_TIMEOUT_S };
	struct server_row unrecorded = { 0 };
	size_t number = atomic_fetch_add(&server->rows->accepted, 1);
	struct server_row *row =
		number < server->rows->capacity ? &server->rows->server[number] : &unrecorded;

	*row = (struct server_row){ .cookie = socket_cookie(fd),
				    .accepted_ns = clock_now_ns(),
				    .worker = getpid(),
				    .client_port = ntohs(client->sin_port) };
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
	row->error = respond(fd, server->response);
	row->responded_ns = clock_now_ns();
	added_hold_wait(server->settings->added_hold_ns);
	row->handoff_error = server->strategy->finish(fd, server->settings);
	row->released_ns = clock_now_ns();
	/* First: who finds it released must find it lingering, if it is. */
	go_on(worker);
	atomic_fetch_add(&server->rows->released, 1);
}

static int watch(int set, int fd, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.fd = fd };

	return epoll_ctl(set, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

/* For a worker that has more to wait for than its next client. */
static int prepare_waiting(struct worker *worker)
{
	int listener = worker->server->listener;
	int error;

	go_on(worker);
	worker->set = epoll_create1(EPOLL_CLOEXEC);
	if (worker->set < 0)
		return -errno;
	/* One of the workers for each client, as accept() has it. */
	error = watch(worker->set, listener, EPOLLIN | EPOLLEXCLUSIVE);
	return error ? error : watch(worker->set, worker->rest.fd, EPOLLIN);
}

/* Until there may be a client to accept. */
static void wait_for_client(struct worker *worker)
{
	struct epoll_event events[2];
	bool listener_ready = false;

	while (!listener_ready) {
		struct timespec timeout = { 0 };
		uint64_t now = clock_now_ns(), next = worker->rest.next_ns;
		uint64_t left = next > now ? next - now : 0;
		int count;

		timeout.tv_sec = (time_t)(left / NS_PER_S);
		timeout.tv_nsec = (long)(left % NS_PER_S);
		count = epoll_pwait2(worker->set, events, 2, next == UINT64_MAX ? NULL : &timeout,
				     NULL);
		for (int i = 0; i < count; i++)
			listener_ready |= events[i].data.fd == worker->server->listener;
		go_on(worker);
	}
}

static int prepare(struct worker *worker)
{
	const struct server *server = worker->server;
	const struct strategy *strategy = server->strategy;
	int flags = fcntl(server->listener, F_GETFL);
	int error = strategy->prepare ? strategy->prepare(server->settings) : 0;

	/*
	 * Another worker may be the faster one: accept() must not block then. The listener is the same
	 * for the workers of the next trial, so it is set in either way.
	 */
	flags = strategy->go_on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
	if (!error && fcntl(server->listener, F_SETFL, flags))
		error = -errno;
	return error || !strategy->go_on ? error : prepare_waiting(worker);
}

_Noreturn void server_work(const struct server *server)
{
	struct worker worker = { .server = server, .set = -1 };
	int error;

	prctl(PR_SET_NAME, "lb-worker");
	error = prepare(&worker);
	if (error) {
		/* The reason is the same for all of them. */
		if (!atomic_exchange(&server->rows->unprepared, true))
			log_error("strategy %s cannot prepare: %s", server->strategy->name,
				  strerror(-error));
		_exit(EXIT_FAILURE);
	}
	atomic_fetch_add(&server->rows->prepared, 1);
	for (;;) {
		struct sockaddr_in client = { 0 };
		socklen_t length = sizeof(client);
		int fd;

		if (worker.set >= 0)
			wait_for_client(&worker);
		fd = accept4(server->listener, (struct sockaddr *)&client, &length, SOCK_CLOEXEC);
		if (fd >= 0) {
			serve(&worker, fd, &client);
		} else if (errno != EINTR && errno != ECONNABORTED && errno != EAGAIN) {
			log_error("accept: %s", strerror(errno));
			_exit(EXIT_FAILURE);
		}
	}
}
