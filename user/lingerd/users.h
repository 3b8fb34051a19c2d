/* SPDX-License-Identifier: MIT */
/*
 * The users whose processes hand over: what has been set for each of them, and how many of their
 * connections are open. The processes of a pool come and go; the user is what they have in common.
 *
 * A user who has been seen keeps the place in the table until the daemon ends, so a small number
 * stands for the user wherever connections and senders are kept. When the table is full, all further
 * users share the last place.
 */
#ifndef LINGERD_USERS_H
#define LINGERD_USERS_H

#include <stdint.h>
#include <sys/types.h>

#include "lingerd/policy.h"

enum {
	USERS_MAX = 64,
	/* The place that all share whose processes may not hand over: what they had sent by then. */
	USERS_TURNED_AWAY = USERS_MAX,
};

struct user {
	uid_t uid;
	struct linger_policy policy;
	uint32_t open;	    /* connections that linger; the engine keeps it */
	uint32_t elsewhere; /* the same, in other processes of the daemon */
};

/* All zero: nobody has been seen. */
struct users {
	struct user list[USERS_MAX + 1];
	uint32_t count; /* without USERS_TURNED_AWAY */
};

struct settings;

/* The place of this user in the list; a new one begins with what the settings say of it. */
uint16_t users_find(struct users *users, const struct settings *settings, uid_t uid);

/* USERS_TURNED_AWAY, with what the settings say of everybody. */
uint16_t users_turned_away(struct users *users, const struct settings *settings);

/* Gives all of them what the settings say now. */
void users_apply(struct users *users, const struct settings *settings);

#endif
