/* SPDX-License-Identifier: MIT */
/*
 * Connections that wait for their peers. Where there is a ring (ring.h), each is a poll request in it, which costs the
 * same whoever else waits; else it is in the epoll set, which is a tree.
 *
 * One says once that it is ready; then it is not watched any more, until it is watched again. In the epoll set it still is, by
 * edges, for nothing else has to be done there to go on.
 *
 * No call blocks or, but for watches_use_ring(), allocates.
 */
#ifndef LINGERD_WATCHES_H
#define LINGERD_WATCHES_H

#include <stdbool.h>
#include <stdint.h>

/* All zeroes but for epoll is a set that works without a ring. */
struct watches {
	int epoll;	   /* the caller's */
	uint32_t size;	   /* fds from 0 to size - 1 can be watched; 0: there is no ring */
	uint64_t *waiting; /* a bit for each that has a request in the ring */
	uint64_t *ready;   /* a bit for each that is ready, and was not taken */
	uint32_t ready_count;
	uint32_t next;	/* of those that are ready, where to go on */
	bool is_short;	/* the kernel is, of memory: it has not taken all */
	bool left_ring; /* since the kernel had stopped to do its part */
};

/*
 * From now on in the ring, which is open; before anything is watched. What wakes for it comes as EVENT_RING of the epoll set.
 * 0 or a negative errno: then all is as before. watches_free() gives the memory back, and must come before ring_close().
 */
int watches_use_ring(struct watches *watches, uint32_t size);
void watches_free(struct watches *watches);

/*
 * fd is ready if it has data, notices or an end already, and else when that comes. for_data: not set, the end alone counts. One
 * that is watched already is looked at anew. 0 or a negative errno; in the ring, one that the kernel has no memory to watch is ready, and so
 * tried again.
 */
int watches_add(struct watches *watches, int fd, bool for_data);
/* The same of one that was ready, and had been read until there was no more. */
void watches_add_again(struct watches *watches, int fd, bool for_data);
/* One that was ready is not ready again before watches_add(). Those that are not watched are none of its errors. */
void watches_pause(struct watches *watches, int fd);
/* Before it is closed or passed on: nothing refers to it any more. Those that are not watched are none of its errors. */
void watches_remove(struct watches *watches, int fd);

/* Up to `most` of those in the ring that are ready; how many they are. */
int watches_take_ready(struct watches *watches, int *ret_fds, int most);

/* Before and after sleeping in epoll_wait(2): whether there is nothing else to do. */
bool watches_sleep(struct watches *watches);
void watches_wake(struct watches *watches);

#endif
