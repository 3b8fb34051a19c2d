/* SPDX-License-Identifier: MIT */
/*
 * One epoll set serves the daemon; an event says which part of it an fd belongs to.
 *
 * While a batch of events is worked through, an fd of it may be closed (a sender evicted for
 * another) and its number be given out anew. So who gets an event looks first whether the fd is one
 * of its own, and an event that finds nothing to read is no error.
 */
#ifndef LINGERD_EVENTS_H
#define LINGERD_EVENTS_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <time.h>

enum event_source {
	EVENT_SIGNAL,
	EVENT_LISTENER,
	EVENT_SENDER,
	EVENT_LINGER,
	EVENT_RING, /* of lingers, too: watches.h */
	EVENT_METRICS,
	EVENT_CHANNEL, /* between the processes of the daemon */
};

static inline int events_control(int epoll, int operation, int fd, enum event_source source,
				 uint32_t events)
{
	struct epoll_event event = { .events = events,
				     .data.u64 = (uint64_t)source << 32 | (uint32_t)fd };

	return epoll_ctl(epoll, operation, fd, &event) ? -errno : 0;
}

/* Level-triggered: readable, at its end, or in error. 0 or negative errno of epoll_ctl(2). */
static inline int events_add(int epoll, int fd, enum event_source source)
{
	return events_control(epoll, EPOLL_CTL_ADD, fd, source, EPOLLIN);
}

/* Edge-triggered: once if it is so already, and once for each time that something comes. */
static inline int events_add_edges(int epoll, int fd, enum event_source source, uint32_t events)
{
	return events_control(epoll, EPOLL_CTL_ADD, fd, source, events | EPOLLET);
}

/* Not readable any more: only errors, and an end in both directions, once. */
static inline int events_pause(int epoll, int fd, enum event_source source)
{
	return events_control(epoll, EPOLL_CTL_MOD, fd, source, EPOLLET);
}

static inline int events_resume_edges(int epoll, int fd, enum event_source source, uint32_t events)
{
	return events_control(epoll, EPOLL_CTL_MOD, fd, source, events | EPOLLET);
}

static inline void events_remove(int epoll, int fd)
{
	epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL);
}

/*
 * Whether an error of epoll_wait(2) passes, which takes a moment: it is not of our own making. Whoever gives up gives up all
 * that lingers.
 */
static inline bool events_wait_passes(int error)
{
	const struct timespec rest = { .tv_nsec = 1000000L };

	if (error == EBADF || error == EINVAL || error == EFAULT)
		return false;
	if (error != EINTR)
		nanosleep(&rest, NULL);
	return true;
}

static inline enum event_source event_source(const struct epoll_event *event)
{
	return (enum event_source)(event->data.u64 >> 32);
}

static inline int event_fd(const struct epoll_event *event)
{
	return (int)(uint32_t)event->data.u64;
}

#endif
