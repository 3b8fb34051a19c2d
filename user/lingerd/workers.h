/* SPDX-License-Identifier: MIT */
/*
 * The other processes of the daemon, as the front has them. One process has a limit of descriptors, and one core; with
 * workers = N the front forks N - 1 shelves (shelf.h) and moves to them what lingers on:
 *
 *	senders --handoffs--> front --batches, commands--> shelves
 *	                        ^----- ledgers, queues -------'
 *
 * Most connections end in their first milliseconds, in the front. The oldest of the others are moved when the front has
 * more than its share.
 *
 * Invariants:
 * - What a shelf may have is never more than it has descriptors for, and what is on its way to it never more than its credit:
 *   unix(7) limits that of all processes of a user together.
 * - Moved connections are in no counter. sent == the shelf's lingers + its ends + its passed_on + what is on its way,
 *   so the sums over all processes keep the invariants of counters.h, in every look at them.
 * - A shelf that has died is found in the next round; all that was its own, or on its way to it, is counted as ended_lost then. The
 *   kernel has closed it.
 *
 * No call blocks, but for those that say so.
 */
#ifndef LINGERD_WORKERS_H
#define LINGERD_WORKERS_H

#include <stdbool.h>
#include <stdint.h>

#include "lingerd/counters.h"
#include "lingerd/engine.h"
#include "lingerd/inherited.h"
#include "lingerd/settings.h"

struct workers;

struct workers_plan {
	const struct settings *settings;
	const struct inherited *inherited; /* not for the shelves */
	uint64_t nofile;		   /* the limit of open files, of each process */
	uint32_t reserve;		   /* of them, those that a shelf uses for itself at most */
	bool background; /* without stdin, stdout and stderr of whoever started us */
	uint32_t most;	 /* connections of all together */
};

/*
 * Forks the shelves, and waits until all of them are ready, for ten seconds at most. 0, or a negative errno with *problem said
 * and nothing left behind. To be called before a thread, a sandbox, or a descriptor is there that is not in the plan.
 */
int workers_start(struct workers **ret, const struct workers_plan *plan, struct problem *problem);
/* Shelves that are there still cut all that they have, and end. NULL is allowed. */
void workers_free(struct workers *workers);

/* From now on EVENT_CHANNEL comes, for workers_ready(). 0 or a negative errno. */
int workers_watch(struct workers *workers, int epoll);
/* left: takes queues that a shelf comes with late. */
void workers_ready(struct workers *workers, int channel, struct succession *left);

/* To be called in every round, before the answers of those below are used. */
void workers_look(struct workers *workers);
/* How many connections all shelves together may have, and how many they have or are about to get. */
uint64_t workers_room(const struct workers *workers);
uint64_t workers_lingers(const struct workers *workers);
/* Adds what the shelves have counted. */
void workers_add_counters(const struct workers *workers, struct counters *to);
void workers_add_times(const struct workers *workers, struct linger_times *to);
void workers_add_rounds(const struct workers *workers, struct metrics_histogram *to);
/* Sets `elsewhere` of each user. */
void workers_count_users(const struct workers *workers, struct users *users);
/* How many connections of this client they have; context: struct workers. */
linger_clients_fn workers_count_client;
/* How many there are. */
uint32_t workers_count(const struct workers *workers);
/* Whether none of them has been busy with one thing, or left a message unread, for too long. */
bool workers_alive(const struct workers *workers, uint64_t now_ns);
/* When to look again; UINT64_MAX: never. wants: whether more is to be moved. */
uint64_t workers_next_ns(const struct workers *workers, bool wants);

/* Moves the oldest ones as long as the engine has more than `keep`, and a shelf takes them at once. */
void workers_move(struct workers *workers, struct linger_engine *engine,
		  const struct counters *counters, uint64_t keep);

void workers_reload(struct workers *workers, const struct settings *settings);
void workers_close_all(struct workers *workers);
/* Has a shelf give up its oldest one, if that is older. Whether it will. */
bool workers_shed(struct workers *workers, uint64_t than_ns);
/*
 * Has the shelves put up to `most` connections into queues, and adds them to *left, as far as that has place. Waits for five
 * seconds at most; what a shelf could not put there it goes on with.
 */
void workers_leave(struct workers *workers, struct succession *left, uint64_t most);
/* Shelves cut what they have, and end. Waits for five seconds at most. */
void workers_end(struct workers *workers);

#endif
