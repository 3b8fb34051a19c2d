/* SPDX-License-Identifier: MIT */
#include "lingerd/calls.h"

#include <errno.h>
#include <liburing.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * With MSG_TRUNC, TCP drops what it would copy and never touches these pages. Sockets that do not
 * know the flag for streams (kernel TLS, sockmap) copy, so the buffer has to be a real one.
 */
static char sink[1 << 20];

static bool has_ring;
static bool ring_asks_sockets; /* it knows getsockopt(): Linux 6.7 */
static struct io_uring ring;

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
	return call->kind == CALL_DISCARD || call->kind == CALL_CLOSE || ring_asks_sockets;
}

static int size_asked(enum call_kind kind)
{
	return kind == CALL_PROTOCOL ? (int)sizeof(int) : (int)sizeof(struct linger);
}

static void take_result(struct call *call, int result, const union answer *answer)
{
	call->result = result;
	if (call->kind != CALL_PROTOCOL && call->kind != CALL_LINGER)
		return;
	/* It is no socket, or none that the ring can ask, or the kernel does not know the question of any. */
	if (result != size_asked(call->kind)) {
		call->result = calls_make_one(call->kind, call->fd);
		/* This is asked of TCP sockets alone. */
		if (call->kind == CALL_LINGER && call->result >= 0)
			ring_asks_sockets = false;
		return;
	}
	call->result = call->kind == CALL_PROTOCOL ? answer->protocol : is_armed(&answer->linger);
}

/*
 * Waits until all that the kernel has taken is done. What it does not take, for want of memory, is taken back: that is made
 * one by one. Returns how many it has taken.
 */
static unsigned int submit(unsigned int count)
{
	unsigned int before = *ring.sq.khead, taken;

	while (io_uring_submit_and_wait(&ring, count) == -EINTR)
		;
	taken = *ring.sq.khead - before;
	if (taken < count) {
		ring.sq.sqe_tail = ring.sq.sqe_head = *ring.sq.khead;
		io_uring_smp_store_release(ring.sq.ktail, *ring.sq.khead);
	}
	while (taken && io_uring_cq_ready(&ring) < taken)
		io_uring_submit_and_wait(&ring, taken);
	return taken;
}

static void make_in_ring(struct call *calls, int count)
{
	union answer answers[CALLS_MAX] = { { 0 } };
	int submitted[CALLS_MAX];
	unsigned int prepared = 0, taken, head, seen = 0;
	struct io_uring_cqe *done;

	for (int i = 0; i < count; i++) {
		struct io_uring_sqe *entry;

		if (!is_for_ring(&calls[i])) {
			calls[i].result = calls_make_one(calls[i].kind, calls[i].fd);
			continue;
		}
		entry = io_uring_get_sqe(&ring);
		prepare(entry, &calls[i], &answers[i]);
		io_uring_sqe_set_data64(entry, (uint64_t)i);
		submitted[prepared++] = i;
	}
	taken = prepared ? submit(prepared) : 0;
	io_uring_for_each_cqe(&ring, head, done)
	{
		take_result(&calls[done->user_data], done->res, &answers[done->user_data]);
		seen++;
	}
	io_uring_cq_advance(&ring, seen);
	for (unsigned int i = taken; i < prepared; i++) {
		struct call *call = &calls[submitted[i]];

		call->result = calls_make_one(call->kind, call->fd);
	}
}

void calls_make(struct call *calls, int count)
{
	if (has_ring && count > 1) {
		make_in_ring(calls, count);
		return;
	}
	for (int i = 0; i < count; i++)
		calls[i].result = calls_make_one(calls[i].kind, calls[i].fd);
}

/* Debian 12's liburing declares functions for these two, and has them not. */
static bool register_with(unsigned int what, void *argument, unsigned int count)
{
	return syscall(SYS_io_uring_register, ring.ring_fd, what, argument, count) != 0;
}

/* Whether that failed. */
static bool restrict_ring(void)
{
	struct io_uring_restriction rules[] = {
		{ .opcode = IORING_RESTRICTION_SQE_OP, .sqe_op = IORING_OP_RECV },
		{ .opcode = IORING_RESTRICTION_SQE_OP, .sqe_op = IORING_OP_CLOSE },
		{ .opcode = IORING_RESTRICTION_SQE_OP, .sqe_op = IORING_OP_URING_CMD },
		{ .opcode = IORING_RESTRICTION_REGISTER_OP,
		  .register_op = IORING_REGISTER_ENABLE_RINGS },
	};

	return register_with(IORING_REGISTER_RESTRICTIONS, rules,
			     sizeof(rules) / sizeof(rules[0])) ||
	       register_with(IORING_REGISTER_ENABLE_RINGS, NULL, 0);
}

bool calls_open(void)
{
	const unsigned int how =
		IORING_SETUP_R_DISABLED | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN;

	if (io_uring_queue_init(CALLS_MAX, &ring, how))
		return false;
	if (restrict_ring()) {
		io_uring_queue_exit(&ring);
		return false;
	}
	has_ring = ring_asks_sockets = true;
	return true;
}

bool calls_are_joined(void)
{
	return has_ring;
}

void calls_close(void)
{
	if (has_ring)
		io_uring_queue_exit(&ring);
	has_ring = false;
}
