/* SPDX-License-Identifier: MIT */
/*
 * What the files of the front's shelves share, and nobody else:
 *
 *	workers.c	their start, and what is left when they are gone
 *	workers_books.c what is known of them: counters, users, clients, whether they are alive
 *	workers_talk.c	what is said to them, moved to them, and answered
 */
#ifndef LINGERD_WORKERS_PARTS_H
#define LINGERD_WORKERS_PARTS_H

#include <sys/types.h>

#include "lingerd/clients.h"
#include "lingerd/ledger.h"
#include "lingerd/workers.h"

enum { SHELVES_MAX = 63 };

struct worker {
	pid_t pid;
	int channel; /* -1: it has died, and all that is left is its books */
	struct ledger *ledger;
	struct clients *clients; /* that it lingers; it keeps them */
	uint32_t version;	 /* of the ledger, in report */
	struct report report;
	/* What report says how far it has come with */
	uint64_t sent; /* connections */
	uint64_t said; /* messages */
	uint64_t sheds;
	uint64_t unheard_since_ns; /* when there are messages that it has not heard */
};

struct workers {
	struct worker list[SHELVES_MAX];
	uint32_t count;
	uint32_t room; /* of each */
	uint32_t credit;
	bool ending;
};

static inline bool worker_is_there(const struct worker *worker)
{
	return worker->channel >= 0;
}

static inline uint64_t worker_on_its_way(const struct worker *worker)
{
	return worker->sent - worker->report.received;
}

static inline uint64_t worker_lingers(const struct worker *worker)
{
	return worker->report.counters.lingers + worker_on_its_way(worker);
}

/* -- workers_books.c -- */

/* Takes what it has published since the last look. */
void worker_look(struct worker *worker);
/* It has died, and the kernel has closed what it had: that is counted as lost. */
void worker_bury(struct workers *workers, struct worker *worker);
/* Whether no message to it has been unread for longer than that. */
bool worker_hears(const struct worker *worker, uint64_t now_ns, uint64_t patience_ns);

/* -- workers_talk.c -- */

/* Whether there is something to read, or its end. Waits for that. */
bool worker_says_something(const struct worker *worker, uint64_t until_ns);

#endif
