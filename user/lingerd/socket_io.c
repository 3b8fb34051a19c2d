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
#include "lingerd/calls.h"
#include "lingerd/kernel_drain.h"
#include "lingerd/ring.h"

/* More wait for the next event, and the others have their turn. */
enum { NOTICES_PER_EVENT = 64 };

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

/* One by one where it would be no less. */
static void socket_begin(void *context, const int *fds, int count)
{
	struct socket_batch *batch = &((struct socket_io *)context)->batch;
	struct call calls[LINGER_BATCH];

	if (count < 2 || !ring_is_open())
		return;
	for (int i = 0; i < count; i++)
		calls[i] = (struct call){ .kind = CALL_DISCARD, .fd = fds[i] };
	calls_make(calls, count);
	for (int i = 0; i < count; i++)
		batch->looks[i] = (struct first_look){ .fd = fds[i],
						       .read_known = true,
						       .read = calls[i].result };
	batch->count = count;
}

/* The sender may have set it, also since it gave us the socket: we would wait in close(). */
static void disarm(const struct call *asked)
{
	if (asked->result > 0)
		socket_disarm_linger(asked->fd);
}

static void socket_end(void *context)
{
	struct socket_batch *batch = &((struct socket_io *)context)->batch;
	struct call calls[LINGER_BATCH];
	int count = batch->closing_count;

	batch->count = batch->closing_count = 0;
	for (int i = 0; i < count; i++)
		calls[i] = (struct call){ .kind = CALL_LINGER, .fd = batch->closing[i] };
	calls_make(calls, count);
	for (int i = 0; i < count; i++) {
		disarm(&calls[i]);
		calls[i].kind = CALL_CLOSE;
	}
	calls_make(calls, count);
}

static struct first_look *look_at(struct socket_batch *batch, int fd)
{
	for (int i = 0; i < batch->count; i++)
		if (batch->looks[i].fd == fd)
			return &batch->looks[i];
	return NULL;
}

static ssize_t socket_discard(void *context, int fd)
{
	struct first_look *look = look_at(&((struct socket_io *)context)->batch, fd);

	if (!look || !look->read_known)
		return calls_make_one(CALL_DISCARD, fd);
	look->read_known = false;
	return look->read;
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

static uint32_t socket_unread(void *context, int fd)
{
	(void)context;
	return kernel_drain_unread(fd);
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

static struct watches *watches_of(void *context)
{
	return &((struct socket_io *)context)->watches;
}

static int socket_watch(void *context, int fd, bool for_data)
{
	return watches_add(watches_of(context), fd, for_data);
}

static void socket_watch_again(void *context, int fd, bool for_data)
{
	watches_add_again(watches_of(context), fd, for_data);
}

static void socket_pause(void *context, int fd)
{
	watches_pause(watches_of(context), fd);
}

static void socket_unwatch(void *context, int fd)
{
	watches_remove(watches_of(context), fd);
}

static void socket_close(void *context, int fd)
{
	struct socket_batch *batch = &((struct socket_io *)context)->batch;
	struct call linger = { .kind = CALL_LINGER, .fd = fd };

	if (look_at(batch, fd)) {
		batch->closing[batch->closing_count++] = fd;
		return;
	}
	calls_make(&linger, 1);
	disarm(&linger);
	calls_make_one(CALL_CLOSE, fd);
}

const struct linger_io socket_linger_io = {
	.now_ns = socket_now_ns,
	.begin = socket_begin,
	.end = socket_end,
	.half_close = socket_half_close,
	.discard = socket_discard,
	.drain_in_kernel = socket_drain_in_kernel,
	.received = socket_received,
	.consumed = socket_consumed,
	.unread = socket_unread,
	.discard_notices = socket_discard_notices,
	.unsent = socket_unsent,
	.peer = socket_peer,
	.give_up = socket_give_up,
	.watch = socket_watch,
	.watch_again = socket_watch_again,
	.pause = socket_pause,
	.unwatch = socket_unwatch,
	.close = socket_close,
};
