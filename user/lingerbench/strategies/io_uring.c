/* SPDX-License-Identifier: MIT */
/*
 * A lingering close in a ring of the worker's own: recv and its timeout go to the kernel as one chain. The worker
 * comes around for what has completed: as long as there was data, the same again, then close.
 *
 * The half-close is not part of the chain. A ring leaves shutdown() to a thread of the kernel, though it never blocks,
 * and on Linux 6.1 what is linked behind it stays in that thread: it blocks there in recv, one thread for each
 * connection, and the timeout does not end it.
 *
 * The kernel keeps completions until the worker asks for them (DEFER_TASKRUN, Linux 6.1): otherwise they
 * would interrupt its blocking recv() and send() for the connection that it serves.
 */
#include "lingerbench/strategy.h"

#include <errno.h>
#include <liburing.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"

enum { ENTRIES = 256, COMPLETIONS = 4096, DISCARD_BYTES = 64 * 1024, RETRY_MS = 10 };

struct lingering {
	int fd;
	bool closing; /* the next completion is close()'s, and its last one */
	uint64_t total_deadline;
	struct __kernel_timespec patience;
};

/* Each worker process has its own. */
static struct io_uring ring;
static int signal_fd = -1;
static size_t open_count;
static uint64_t idle_timeout_ns;
static char discarded[DISCARD_BYTES]; /* never written: MSG_TRUNC */

static int prepare(const struct strategy_settings *settings)
{
	struct io_uring_params params = { .flags = IORING_SETUP_SINGLE_ISSUER |
						   IORING_SETUP_DEFER_TASKRUN |
						   IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_CQSIZE,
					  .cq_entries = COMPLETIONS };
	int error = io_uring_queue_init_params(ENTRIES, &ring, &params);

	if (error)
		return error;
	idle_timeout_ns = settings->idle_timeout_ns;
	signal_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return signal_fd < 0 ? -errno : io_uring_register_eventfd(&ring, signal_fd);
}

/* A chain must not be torn apart: there is room for all of it, or nothing is begun. */
static bool has_room(unsigned int entries)
{
	if (io_uring_sq_space_left(&ring) < entries)
		io_uring_submit(&ring);
	return io_uring_sq_space_left(&ring) >= entries;
}

/* recv and its timeout. Nobody waits for what the timeout itself has to say: its user_data is 0. */
static void queue_recv(struct lingering *lingering, uint64_t now)
{
	uint64_t left = lingering->total_deadline - now;
	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);

	if (left > idle_timeout_ns)
		left = idle_timeout_ns;
	lingering->patience = (struct __kernel_timespec){ .tv_sec = (long long)(left / NS_PER_S),
							  .tv_nsec = (long long)(left % NS_PER_S) };
	io_uring_prep_recv(sqe, lingering->fd, discarded, sizeof(discarded), MSG_TRUNC);
	io_uring_sqe_set_data(sqe, lingering);
	io_uring_sqe_set_flags(sqe, IOSQE_IO_LINK);
	sqe = io_uring_get_sqe(&ring);
	io_uring_prep_link_timeout(sqe, &lingering->patience, 0);
	io_uring_sqe_set_data(sqe, NULL);
}

static int finish(int fd, const struct strategy_settings *settings)
{
	struct lingering *lingering;
	uint64_t now = clock_now_ns();

	if (shutdown(fd, SHUT_WR)) {
		close(fd);
		return 0;
	}
	lingering = malloc(sizeof(*lingering));
	if (!lingering || !has_room(2)) {
		int error = lingering ? -EBUSY : -ENOMEM;

		free(lingering);
		strategy_linger_natively(fd, settings);
		return error;
	}
	*lingering =
		(struct lingering){ .fd = fd, .total_deadline = now + settings->total_timeout_ns };
	queue_recv(lingering, now);
	open_count++;
	/* What could not be submitted stays queued; go_on() tries again. */
	io_uring_submit(&ring);
	return 0;
}

static void forget(struct lingering *lingering)
{
	free(lingering);
	open_count--;
}

static void handle_completion(struct lingering *lingering, int result)
{
	uint64_t now = clock_now_ns();
	struct io_uring_sqe *sqe;

	if (lingering->closing) {
		forget(lingering);
		return;
	}
	if (result > 0 && now < lingering->total_deadline && has_room(2)) {
		queue_recv(lingering, now);
		return;
	}
	/* The FIN, a reset, or a timeout. */
	if (!has_room(1)) {
		close(lingering->fd);
		forget(lingering);
		return;
	}
	sqe = io_uring_get_sqe(&ring);
	io_uring_prep_close(sqe, lingering->fd);
	io_uring_sqe_set_data(sqe, lingering);
	lingering->closing = true;
}

static void reap(void)
{
	struct io_uring_cqe *cqe;

	io_uring_get_events(&ring);
	while (!io_uring_peek_cqe(&ring, &cqe)) {
		struct lingering *lingering = io_uring_cqe_get_data(cqe);
		int result = cqe->res;

		io_uring_cqe_seen(&ring, cqe);
		if (lingering)
			handle_completion(lingering, result);
	}
	io_uring_submit(&ring);
}

static void go_on(struct strategy_rest *ret)
{
	const unsigned int more = IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW;
	eventfd_t count;

	/* The kernel does a part of what is due at a time, and does not signal the rest of it anew. */
	eventfd_read(signal_fd, &count);
	do
		reap();
	while (IO_URING_READ_ONCE(*ring.sq.kflags) & more);
	*ret = (struct strategy_rest){ .open = open_count, .fd = signal_fd, .next_ns = UINT64_MAX };
	if (io_uring_sq_ready(&ring))
		ret->next_ns = clock_now_ns() + RETRY_MS * NS_PER_MS;
}

const struct strategy strategy_io_uring = {
	.name = "io_uring",
	.summary = "half-close; drain, timeout and close in a ring of the worker's",
	.prepare = prepare,
	.finish = finish,
	.go_on = go_on,
};
