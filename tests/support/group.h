/* SPDX-License-Identifier: MIT */
/*
 * A lingerd of several processes, each of which may have so few descriptors that it takes all of them to linger what
 * tests hand over. Calls fail the test (cmocka) on errors.
 */
#ifndef TEST_GROUP_H
#define TEST_GROUP_H

#include <stdbool.h>
#include <sys/types.h>

#include "tests/support/lingerd.h"

enum {
	GROUP_LINGERS = 600, /* more than one of them has room for, and less than eight */
	GROUP_SHELVES = 7,   /* at most */
	GROUP_FILES = 200,   /* of each process */
	GROUP_PATIENCE_S = 30,
};

struct group {
	const struct lingerd *daemon;
	pid_t shelves[GROUP_SHELVES];
	int count;
	int idle_fds; /* of all of them, without senders and lingers */
};

/* What was handed over; of each only the client's side is open. */
extern struct tcp_pair group_pairs[GROUP_LINGERS];

/* --workers 8, and timeouts that no test waits for. */
extern const char *const group_of_eight[];

/* For cmocka_run_group_tests(): as many descriptors for the test as it may have. */
int group_raise_limit(void **state);

/* daemon stays the caller's, and has to be there until group_stop(). */
void group_start(struct group *group, struct lingerd *daemon, const char *const options[]);
/* As lingerd_stop(); the test fails unless all shelves end. */
void group_stop(struct group *group, struct lingerd *daemon);

/* The processes that serve as shelves now; returns how many. */
int group_find_shelves(const struct lingerd *daemon, pid_t ret[GROUP_SHELVES]);
/* What they have open, all together. */
int group_fds(const struct group *group);
/* Conditions for wait_until(), of a struct group. */
bool group_fds_are_idle(void *group);
bool group_is_gone(void *group); /* but for its first process */

/* Hands pairs over, as a sender that comes and goes. */
void group_hand_over(const struct lingerd *daemon, int first, int count);
/* Closes the clients of the first pairs. */
void group_close_clients(int count);
/* Whatever is on its way, at any time: what has come is what lingers, has ended or was passed on. */
void group_books_balance(const struct lingerd *daemon);

#endif
