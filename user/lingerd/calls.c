/* SPDX-License-Identifier: MIT */
#include "lingerd/calls.h"

#include <assert.h>
#include <errno.h>
#include <liburing.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lingerd/ring.h"

/*
 * With MSG_TRUNC, TCP drops what it would copy and never touches these pages. Sockets that do not
 * know the flag for streams (kernel TLS, sockmap) copy, so the buffer has to be a real one.
 */
static char sink[1 << 20];

/* How often it is waited for what does not end, which takes a moment each time that the kernel refuses. */
enum { TRIES = 1000 };

static bool ring_asks_no_sockets; /* it knows no getsockopt(): before Linux 6.7 */

/* -- One after the other -- */

static ssize_t or_errno(ssize_t result)
{
	return result < 0 ? -errno : result;
}

static ssize_t ask_protocol(int fd)
{
	int protocol;
	socklen_t length = sizeof(protocol);

	return getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &length) ? -errno : protocol;
}

static ssize_t is_armed(const struct linger *linger)
{
	return linger->l_onoff && linger->l_linger;
}

static ssize_t ask_linger(int fd)
{
	struct linger linger = { 0 };
	socklen_t length = sizeof(linger);

	if (getsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, &length))
		return -errno;
	return is_armed(&linger);
}

ssize_t calls_make_one(enum call_kind kind, int fd)
{
	switch (kind) {
	case CALL_PROTOCOL:
		return ask_protocol(fd);
	case CALL_LINGER:
		return ask_linger(fd);
	case CALL_DISCARD:
		return or_errno(recv(fd, sink, sizeof(sink), MSG_TRUNC | MSG_DONTWAIT));
	default:
		/* Never again, whatever it says: on Linux the fd is gone even at EINTR. */
		return or_errno(close(fd));
	}
}

/* -- All of them in the ring -- */

/* include/uapi/linux/io_uring.h of Linux 6.7, which Debian 12's is older than. */
enum { URING_CMD_GETSOCKOPT = 2 };

/* What getsockopt() answers. */
union answer {
	int protocol;
	struct linger linger;
};

static void prepare_getsockopt(struct io_uring_sqe *entry, int fd, uint32_t name,
			       union answer *answer, uint32_t size)
{
	const uint32_t what[2] = { SOL_SOCKET, name };

	_Static_assert(sizeof(what) == sizeof(entry->addr), "level and optname lie there");
	io_uring_prep_rw(IORING_OP_URING_CMD, entry, fd, NULL, 0, 0);
	entry->off = URING_CMD_GETSOCKOPT;
	memcpy(&entry->addr, what, sizeof(what));
	entry->file_index = size; /* optlen */
	entry->addr3 = (uintptr_t)answer;
}

static void prepare(struct io_uring_sqe *entry, const struct call *call, union answer *answer)
{
	switch (call->kind) {
	case CALL_PROTOCOL:
		prepare_getsockopt(entry, call->fd, SO_PROTOCOL, answer, sizeof(answer->protocol));
		break;
	case CALL_LINGER:
		prepare_getsockopt(entry, call->fd, SO_LINGER, answer, sizeof(answer->linger));
		break;
	case CALL_DISCARD:
		io_uring_prep_recv(entry, call->fd, sink, sizeof(sink), MSG_TRUNC | MSG_DONTWAIT);
		break;
	case CALL_CLOSE:
		io_uring_prep_close(entry, call->fd);
		break;
	}
}

static bool is_for_ring(const struct call *call)
{
	return call->kind == CALL_DISCARD || call->kind == CALL_CLOSE || !ring_asks_no_sockets;
}

static ssize_t size_asked(enum call_kind kind)
{
	return kind == CALL_PROTOCOL ? (ssize_t)sizeof(int) : (ssize_t)sizeof(struct linger);
}

/* Of those that are in the ring. */
struct joined {
	struct call *calls;
	union answer answers[CALLS_MAX];
	bool is_under_way[CALLS_MAX];
	int under_way; /* how many are */
};

static void take_answer(struct call *call, ssize_t result, const union answer *answer)
{
	if (result == size_asked(call->kind)) {
		call->result =
			call->kind == CALL_PROTOCOL ? answer->protocol : is_armed(&answer->linger);
		return;
	}
	/* It is no socket, or none that the ring can ask, or the kernel does not know the question of any. */
	call->result = calls_make_one(call->kind, call->fd);
	/* This is asked of TCP sockets alone. */
	if (call->kind == CALL_LINGER && call->result >= 0)
		ring_asks_no_sockets = true;
}

static void take_end(void *context, uint32_t number, int result)
{
	struct joined *joined = context;
	struct call *call = &joined->calls[number];

	joined->under_way--;
	joined->is_under_way[number] = false;
	if (result == RING_NOT_TAKEN)
		call->result = calls_make_one(call->kind, call->fd);
	else if (call->kind == CALL_PROTOCOL || call->kind == CALL_LINGER)
		take_answer(call, result, &joined->answers[number]);
	else
		call->result = result;
}

/*
 * The kernel has not told of some, and will not. None of them does harm when it is made twice: nobody has opened a descriptor
 * since, so one that is closed already is no other by now.
 */
static void make_those_left(struct joined *joined, int count)
{
	for (int i = 0; joined->under_way && i < count; i++)
		if (joined->is_under_way[i])
			take_end(joined, (uint32_t)i, RING_NOT_TAKEN);
}

static void make_in_ring(struct call *calls, int count)
{
	struct joined joined = { .calls = calls };

	ring_tell(RING_CALLS, take_end, &joined);
	for (int i = 0; i < count; i++) {
		if (is_for_ring(&calls[i])) {
			joined.under_way++;
			joined.is_under_way[i] = true;
			prepare(ring_request(RING_CALLS, (uint32_t)i), &calls[i],
				&joined.answers[i]);
		} else {
			calls[i].result = calls_make_one(calls[i].kind, calls[i].fd);
		}
	}
	if (joined.under_way)
		ring_run(false);
	for (int i = 0; joined.under_way && i < TRIES; i++)
		ring_run(true);
	make_those_left(&joined, count);
	ring_tell(RING_CALLS, NULL, NULL);
}

void calls_make(struct call *calls, int count)
{
	assert(count <= CALLS_MAX);
	if (ring_is_open() && count > 1) {
		make_in_ring(calls, count);
		return;
	}
	for (int i = 0; i < count; i++)
		calls[i].result = calls_make_one(calls[i].kind, calls[i].fd);
}
