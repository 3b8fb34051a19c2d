/* SPDX-License-Identifier: MIT */
#include "lingerd/ring.h"

#include <errno.h>
#include <liburing.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* More ends than that wait in the kernel's memory until we have taken these. */
enum { ENDS = 4096 };

static struct {
	bool open;
	struct io_uring uring;
	int wakeups;
	struct {
		ring_ended_fn *ended;
		void *context;
	} owners[RING_OWNERS];
} ring = { .wakeups = -1 };

uint64_t ring_tag(enum ring_owner owner, uint32_t number)
{
	return (uint64_t)owner << 32 | number;
}

static void tell(uint64_t tag, int result)
{
	enum ring_owner owner = (enum ring_owner)(tag >> 32);

	if (ring.owners[owner].ended)
		ring.owners[owner].ended(ring.owners[owner].context, (uint32_t)tag, result);
}

/* What the kernel has not taken is not left to be taken later: by then its descriptor may be another's. */
static void take_back(void)
{
	struct io_uring_sq *queue = &ring.uring.sq;
	unsigned int taken = io_uring_smp_load_acquire(queue->khead), end = queue->sqe_tail;

	queue->sqe_tail = queue->sqe_head = taken;
	io_uring_smp_store_release(queue->ktail, taken);
	for (unsigned int i = taken; i != end; i++)
		tell(queue->sqes[i & queue->ring_mask].user_data, RING_NOT_TAKEN);
}

static void take_ends(void)
{
	struct io_uring_cqe *end;
	unsigned int head, count = 0;

	io_uring_for_each_cqe(&ring.uring, head, end)
	{
		tell(end->user_data, end->res);
		count++;
	}
	io_uring_cq_advance(&ring.uring, count);
}

static bool kernel_says(unsigned int what)
{
	return IO_URING_READ_ONCE(*ring.uring.sq.kflags) & what;
}

static void enter(bool wait)
{
	int error;

	do
		error = wait ? io_uring_submit_and_wait(&ring.uring, 1)
			     : io_uring_submit_and_get_events(&ring.uring);
	while (error == -EINTR);
}

bool ring_has_ends(void)
{
	return ring.open && (io_uring_cq_ready(&ring.uring) ||
			     kernel_says(IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW));
}

/*
 * The kernel does some of its work at a time (IO_LOCAL_TW_DEFAULT_MAX, 20, since Linux 6.13), and says then that there is more. Part of it
 * is to find that nothing has come, so that there need not be an end. It may also say so late, of what it has done: therefore it is
 * forgotten before, or it would stand until there is work again. False: it did nothing, for want of memory perhaps, which passes.
 */
static bool go_on(void)
{
	const struct timespec moment = { .tv_nsec = 1000000L };

	__atomic_fetch_and(ring.uring.sq.kflags, ~IORING_SQ_TASKRUN, __ATOMIC_SEQ_CST);
	if (io_uring_get_events(&ring.uring) >= 0)
		return true;
	__atomic_fetch_or(ring.uring.sq.kflags, IORING_SQ_TASKRUN, __ATOMIC_SEQ_CST);
	nanosleep(&moment, NULL);
	return false;
}

void ring_run(bool wait)
{
	if (!ring.open)
		return;
	/* Waiting would be for another end than that of what is not taken. */
	enter(wait && !io_uring_sq_ready(&ring.uring));
	take_back();
	take_ends();
	while (ring_has_ends() && go_on())
		take_ends();
}

struct io_uring_sqe *ring_request(enum ring_owner owner, uint32_t number)
{
	struct io_uring_sqe *request;

	if (!io_uring_sq_space_left(&ring.uring))
		ring_run(false);
	request = io_uring_get_sqe(&ring.uring);
	request->user_data = ring_tag(owner, number);
	return request;
}

void ring_tell(enum ring_owner owner, ring_ended_fn *ended, void *context)
{
	ring.owners[owner].ended = ended;
	ring.owners[owner].context = context;
}

/* -- Sleeping -- */

int ring_wakeups(void)
{
	return ring.wakeups;
}

bool ring_sleep(void)
{
	if (!ring.open)
		return true;
	if (io_uring_sq_ready(&ring.uring))
		ring_run(false);
	io_uring_cq_eventfd_toggle(&ring.uring, true);
	/* What ends from now on wakes us; what has ended before is seen, on whatever CPU. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (ring_has_ends())
		ring_run(false);
	return !ring_has_ends();
}

void ring_wake(void)
{
	if (ring.open)
		io_uring_cq_eventfd_toggle(&ring.uring, false);
}

/* -- Opening -- */

/* Debian 12's liburing declares functions for some of these, and has them not. */
static bool register_with(unsigned int what, void *argument, unsigned int count)
{
	return syscall(SYS_io_uring_register, ring.uring.ring_fd, what, argument, count) == 0;
}

static bool restrict_and_enable(void)
{
	struct io_uring_restriction rules[] = {
		{ .opcode = IORING_RESTRICTION_SQE_OP, .sqe_op = IORING_OP_RECV },
		{ .opcode = IORING_RESTRICTION_SQE_OP, .sqe_op = IORING_OP_CLOSE },
		{ .opcode = IORING_RESTRICTION_SQE_OP, .sqe_op = IORING_OP_URING_CMD },
		{ .opcode = IORING_RESTRICTION_SQE_OP, .sqe_op = IORING_OP_POLL_ADD },
		{ .opcode = IORING_RESTRICTION_SQE_OP, .sqe_op = IORING_OP_POLL_REMOVE },
		{ .opcode = IORING_RESTRICTION_REGISTER_OP,
		  .register_op = IORING_REGISTER_ENABLE_RINGS },
	};

	return register_with(IORING_REGISTER_EVENTFD, &ring.wakeups, 1) &&
	       register_with(IORING_REGISTER_RESTRICTIONS, rules,
			     sizeof(rules) / sizeof(rules[0])) &&
	       register_with(IORING_REGISTER_ENABLE_RINGS, NULL, 0);
}

bool ring_open(void)
{
	struct io_uring_params how = {
		.flags = IORING_SETUP_R_DISABLED | IORING_SETUP_SINGLE_ISSUER |
			 IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG |
			 IORING_SETUP_CQSIZE,
		.cq_entries = ENDS,
	};

	if (io_uring_queue_init_params(RING_REQUESTS, &ring.uring, &how))
		return false;
	ring.wakeups = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ring.open = true;
	if (ring.wakeups < 0 || !restrict_and_enable()) {
		ring_close();
		return false;
	}
	ring_wake();
	return true;
}

void ring_close(void)
{
	if (!ring.open)
		return;
	io_uring_queue_exit(&ring.uring);
	if (ring.wakeups >= 0)
		close(ring.wakeups);
	ring.wakeups = -1;
	ring.open = false;
}

bool ring_is_open(void)
{
	return ring.open;
}
