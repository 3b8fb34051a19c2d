/* SPDX-License-Identifier: MIT */
/*
 * The table of senders, by fd: who is there, whose turn it is to make room, who waits and for what.
 * Pure bookkeeping, the doing is intake.c's. No call blocks or allocates, but for senders_init().
 */
#ifndef LINGERD_SENDERS_H
#define LINGERD_SENDERS_H

#include <stdbool.h>
#include <stdint.h>

#include "lingerd/queue.h"
#include "lingerd/users.h"

/* Flags. */
enum sender_state {
	SENDER_PRESENT = 1 << 0,
	SENDER_LEAVING = 1 << 1,
	SENDER_WAITS_FOR_ROOM = 1 << 2,
	SENDER_WAITS_FOR_USER = 1 << 3, /* for less connections of its user */
	SENDER_PARKED = SENDER_WAITS_FOR_ROOM | SENDER_WAITS_FOR_USER,
};

struct sender {
	uint8_t state;
	uint16_t user; /* its place in the list of users */
};

struct senders {
	uint32_t size;
	uint32_t waiting_for_users; /* how many are in all of waiting_by */
	struct sender *list;	    /* by fd */
	struct queue active;	    /* neither parked nor leaving; in the order of last use */
	struct queue waiting;	    /* for room; those below share its links */
	struct queue waiting_by[USERS_MAX]; /* for less connections of their user */
};

/* Room for the fds 0 to size - 1. 0 or -ENOMEM. senders_free() gives it back. */
int senders_init(struct senders *senders, uint32_t size);
void senders_free(struct senders *senders);

/* Whether that is a sender which may be read from. */
bool senders_readable(const struct senders *senders, int fd);

void senders_add(struct senders *senders, int fd, uint16_t user);
void senders_remove(struct senders *senders, int fd);
/* It has said something. */
void senders_touch(struct senders *senders, int fd);
/* It will be there until its queue is empty, and not make room for others. */
void senders_leave(struct senders *senders, int fd);
/* reason: one of those in SENDER_PARKED. */
void senders_park(struct senders *senders, int fd, enum sender_state reason);
void senders_unpark(struct senders *senders, int fd);

/*
 * The active one that has been silent for longest. False when there is none, or only one: the
 * newcomer that others should make room for.
 */
bool senders_silent(const struct senders *senders, uint32_t *ret_fd);

#endif
