/* SPDX-License-Identifier: MIT */
#include "lingerd/socket_io.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "lingerd/events.h"
#include "lingerd/kernel_drain.h"

/* More wait for the next event, and the others have their turn. */
enum { NOTICES_PER_EVENT = 64 };

/*
 * With MSG_TRUNC, TCP drops what it would copy and never touches these pages. Sockets that do not
 * know the flag for streams (kernel TLS, sockmap) copy, so the buffer has to be a real one.
 */
static char sink[1024 << 10];

static uint64_t socket_now_ns(void *context)
{
	(void)context;
	return clock_now_ns();
}

void socket_disarm_linger(int fd)
{
	const struct linger off = { .l_onoff = 0 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &off, sizeof(off));
}

void socket_refuse(int fd)
{
	socket_disarm_linger(fd);
	close(fd);
}

static void socket_half_close(void *context, int fd)
{
	(void)context;
	shutdown(fd, SHUT_WR);
}

static ssize_t socket_discard(void *context, int fd)
{
	ssize_t n = recv(fd, sink, sizeof(sink), MSG_TRUNC | MSG_DONTWAIT);

	(void)context;
	return n < 0 ? -errno : n;
}

static bool socket_drain_in_kernel(void *context, int fd)
{
	const struct socket_io *io = context;

	return io->drain_table >= 0 && !kernel_drain_add(io->drain_table, fd);
}

static uint32_t socket_received(void *context, int fd)
{
	(void)context;
	return kernel_drain_received(fd);
}

static uint32_t socket_consumed(void *context, int fd)
{
	(void)context;
	return kernel_drain_consumed(fd);
}

/*
 * The error queue holds what the server asked for in its time: time stamps of what it sent, the
 * completions of MSG_ZEROCOPY. epoll reports EPOLLERR until it is empty, recv() sees none of it.
 */
static bool socket_discard_notices(void *context, int fd)
{
	struct msghdr nothing = { 0 };

	(void)context;
	for (int i = 0; i < NOTICES_PER_EVENT; i++)
		if (recvmsg(fd, &nothing, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
			return false;
	return true;
}

static int socket_unsent(void *context, int fd, uint32_t *ret)
{
	int bytes;

	(void)context;
	if (ioctl(fd, SIOCOUTQ, &bytes))
		return -errno;
	*ret = (uint32_t)bytes;
	return 0;
}

static int socket_peer(void *context, int fd, struct sockaddr_storage *ret)
{
	socklen_t length = sizeof(*ret);

	(void)context;
	return getpeername(fd, (struct sockaddr *)ret, &length) ? -errno : 0;
}

static void socket_give_up(void *context, int fd, const struct linger_policy *policy)
{
	const struct linger reset = { .l_onoff = 1 };
	int seconds = (int)policy->fin_wait_2_s;

	(void)context;
	if (policy->give_up == GIVE_UP_RESET)
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	else if (policy->give_up == GIVE_UP_FIN_WAIT_2)
		setsockopt(fd, IPPROTO_TCP, TCP_LINGER2, &seconds, sizeof(seconds));
}

static int socket_watch(void *context, int fd, bool for_data)
{
	const struct socket_io *io = context;
	/* The kernel wakes for EPOLLIN by what it throws away, too. */
	uint32_t events = for_data ? EPOLLIN : EPOLLRDHUP;
	int error = events_add_edges(io->epoll, fd, EVENT_LINGER, events);

	return error == -EEXIST ? events_resume_edges(io->epoll, fd, EVENT_LINGER, events) : error;
}

static void socket_pause(void *context, int fd)
{
	const struct socket_io *io = context;

	events_pause(io->epoll, fd, EVENT_LINGER);
}

static void socket_unwatch(void *context, int fd)
{
	const struct socket_io *io = context;

	events_remove(io->epoll, fd);
}

static void socket_close(void *context, int fd)
{
	struct linger linger = { 0 };
	socklen_t length = sizeof(linger);

	(void)context;
	/* The sender may have set it, also since it gave us the socket: we would wait in close(). */
	if (!getsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, &length) && linger.l_onoff &&
	    linger.l_linger)
		socket_disarm_linger(fd);
	close(fd); /* never again, whatever it says: on Linux the fd is gone even at EINTR */
}

const struct linger_io socket_linger_io = {
	.now_ns = socket_now_ns,
	.half_close = socket_half_close,
	.discard = socket_discard,
	.drain_in_kernel = socket_drain_in_kernel,
	.received = socket_received,
	.consumed = socket_consumed,
	.discard_notices = socket_discard_notices,
	.unsent = socket_unsent,
	.peer = socket_peer,
	.give_up = socket_give_up,
	.watch = socket_watch,
	.pause = socket_pause,
	.unwatch = socket_unwatch,
	.close = socket_close,
};
