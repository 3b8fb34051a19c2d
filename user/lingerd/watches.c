/* SPDX-License-Identifier: MIT */
#include "lingerd/watches.h"

#include <errno.h>
#include <liburing.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>

#include "common/log.h"
#include "lingerd/events.h"
#include "lingerd/ring.h"

enum {
	BITS = 64,
	TRIES = 1000, /* a second */
};

static bool has_bit(const uint64_t *bits, uint32_t fd)
{
	return bits[fd / BITS] >> fd % BITS & 1;
}

static void set_bit(uint64_t *bits, uint32_t fd)
{
	bits[fd / BITS] |= 1ULL << fd % BITS;
}

static void clear_bit(uint64_t *bits, uint32_t fd)
{
	bits[fd / BITS] &= ~(1ULL << fd % BITS);
}

/* What is waited for besides errors, and an end in both directions. The kernel wakes for data that it throws away, too. */
static uint32_t events_for(bool for_data)
{
	return for_data ? EPOLLIN : EPOLLRDHUP;
}

static void wait_a_moment(void)
{
	const struct timespec moment = { .tv_nsec = 1000000L };

	nanosleep(&moment, NULL);
}

/* -- In the ring -- */

/* Its request has ended: something has come, or there was none to be made, or it was taken back. */
static void end_waiting(void *context, uint32_t fd, int result)
{
	struct watches *watches = context;

	clear_bit(watches->waiting, fd);
	if (result == -ECANCELED)
		return;
	set_bit(watches->ready, fd);
	watches->ready_count++;
	/* Whoever finds nothing to read has it watched again. */
	if (result < 0)
		watches->is_short = true;
}

/* There was none to be removed: its end has been told before this one, or the kernel had no memory to tell it. */
static void end_removal(void *context, uint32_t fd, int result)
{
	const struct watches *watches = context;

	if (result == -ENOENT)
		clear_bit(watches->waiting, fd);
}

static void wait_in_ring(struct watches *watches, int fd, bool for_data)
{
	uint32_t number = (uint32_t)fd;

	if (has_bit(watches->waiting, number) || has_bit(watches->ready, number))
		return;
	set_bit(watches->waiting, number);
	io_uring_prep_poll_add(ring_request(RING_WATCHES, number), fd, events_for(for_data));
}

/* A request that waits holds the connection: closed, it would live on. False: the kernel does not let go of it. */
static bool stop_waiting(struct watches *watches, uint32_t fd)
{
	for (int i = 0; i < TRIES; i++) {
		io_uring_prep_poll_remove(ring_request(RING_REMOVALS, fd),
					  ring_tag(RING_WATCHES, fd));
		ring_run(false);
		if (!has_bit(watches->waiting, fd))
			return true;
		/* It is ending on another CPU, or the kernel is short of memory: that passes. */
		wait_a_moment();
	}
	return false;
}

static void forget_ready(struct watches *watches, uint32_t fd)
{
	if (!has_bit(watches->ready, fd))
		return;
	clear_bit(watches->ready, fd);
	watches->ready_count--;
}

static uint32_t words(const struct watches *watches)
{
	return (watches->size + BITS - 1) / BITS;
}

/* One that is ready, at watches->next or after it, and round. There is one. */
static uint32_t next_ready(struct watches *watches)
{
	uint32_t word = watches->next / BITS;
	uint64_t bits = watches->ready[word] & UINT64_MAX << watches->next % BITS;

	while (!bits) {
		word = (word + 1) % words(watches);
		bits = watches->ready[word];
	}
	return word * BITS + (uint32_t)__builtin_ctzll(bits);
}

int watches_take_ready(struct watches *watches, int *ret_fds, int most)
{
	int count = 0;

	if (!watches->ready_count && ring_has_ends())
		ring_run(false);
	while (watches->ready_count && count < most) {
		uint32_t fd = next_ready(watches);

		forget_ready(watches, fd);
		watches->next = (fd + 1) % (words(watches) * BITS);
		ret_fds[count++] = (int)fd;
	}
	return count;
}

bool watches_sleep(struct watches *watches)
{
	bool sleeps = ring_sleep();

	if (watches->is_short)
		wait_a_moment();
	watches->is_short = false;
	return sleeps && !watches->ready_count;
}

void watches_wake(struct watches *watches)
{
	(void)watches;
	ring_wake();
}

int watches_use_ring(struct watches *watches, uint32_t size)
{
	int error = events_add_edges(watches->epoll, ring_wakeups(), EVENT_RING, EPOLLIN);

	if (error)
		return error;
	watches->size = size;
	watches->waiting = calloc(words(watches), sizeof(*watches->waiting));
	watches->ready = calloc(words(watches), sizeof(*watches->ready));
	if (!watches->waiting || !watches->ready) {
		events_remove(watches->epoll, ring_wakeups());
		watches_free(watches);
		return -ENOMEM;
	}
	ring_tell(RING_WATCHES, end_waiting, watches);
	ring_tell(RING_REMOVALS, end_removal, watches);
	return 0;
}

void watches_free(struct watches *watches)
{
	ring_tell(RING_WATCHES, NULL, NULL);
	ring_tell(RING_REMOVALS, NULL, NULL);
	free(watches->waiting);
	free(watches->ready);
	watches->waiting = watches->ready = NULL;
	watches->size = watches->ready_count = 0;
}

/* With the ring, all of its requests are gone. Whoever was not told of data is told of both. */
static void leave_ring(struct watches *watches)
{
	log_warning("io_uring: the kernel has not done its part for a second; going on without");
	for (uint32_t fd = 0; fd < watches->size; fd++)
		if (has_bit(watches->waiting, fd) || has_bit(watches->ready, fd))
			events_add_edges(watches->epoll, (int)fd, EVENT_LINGER,
					 EPOLLIN | EPOLLRDHUP);
	watches_free(watches);
	ring_close();
	watches->left_ring = true;
}

/* -- Either way -- */

int watches_add(struct watches *watches, int fd, bool for_data)
{
	int error;

	if (watches->size) {
		wait_in_ring(watches, fd, for_data);
		return 0;
	}
	error = events_add_edges(watches->epoll, fd, EVENT_LINGER, events_for(for_data));
	return error == -EEXIST
		       ? events_resume_edges(watches->epoll, fd, EVENT_LINGER, events_for(for_data))
		       : error;
}

void watches_add_again(struct watches *watches, int fd, bool for_data)
{
	if (watches->size)
		wait_in_ring(watches, fd, for_data);
	else if (watches->left_ring) /* it may not have come to the set yet */
		watches_add(watches, fd, for_data);
}

void watches_pause(struct watches *watches, int fd)
{
	if (!watches->size)
		events_pause(watches->epoll, fd, EVENT_LINGER);
}

void watches_remove(struct watches *watches, int fd)
{
	if (watches->size && has_bit(watches->waiting, (uint32_t)fd) &&
	    !stop_waiting(watches, (uint32_t)fd))
		leave_ring(watches);
	if (watches->size)
		forget_ready(watches, (uint32_t)fd);
	else
		events_remove(watches->epoll, fd);
}
