/* SPDX-License-Identifier: MIT */
/*
 * What one lingerd leaves to the next: all that lingers, in the queues of a few Unix sockets. A
 * queue holds the descriptors (SCM_RIGHTS) and what has to be known of each, in order; it lives
 * without any process, as long as somebody keeps its one descriptor: the service manager in its fd
 * store, or the next process already.
 *
 * While a connection is in a queue it is open, and nobody reads it: nothing is reset, and what the
 * peer sends is still there for the next process.
 */
#ifndef LINGERD_SUCCESSION_H
#define LINGERD_SUCCESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "lingerd/counters.h"
#include "lingerd/engine.h"
#include "lingerd/limits.h"
#include "lingerd/settings.h"

/* Each takes two thousand connections and more. */
enum { SUCCESSION_QUEUES_MAX = 64 };

/* All zero: empty. */
struct succession {
	bool writing; /* writer is open: the other end of the last queue */
	int writer;
	uint32_t count;
	uint32_t kept_free; /* of the queues that there may be, those that are not for us */
	int queues[SUCCESSION_QUEUES_MAX]; /* non-blocking, only to be read from */
};

/*
 * Moves up to `most` of what lingers into queues, the oldest first, and counts it as passed_on. May be called again
 * for more, until succession_seal(). 0, or the negative errno of what kept the rest from being moved: that lingers on.
 */
int succession_fill(struct succession *succession, struct linger_engine *engine, uint64_t most,
		    struct counters *counters);

/* Nothing more will be put into the queues. */
void succession_seal(struct succession *succession);

/* Closes our descriptors of the queues. What nobody else keeps is closed with all that is in it. */
void succession_close(struct succession *succession);

/*
 * Goes on with what is in the queues, the first one first, as far as there is room, and closes those that are empty. To be
 * called again when lingers have ended, as long as there are queues. Returns how many connections linger on.
 */
uint32_t succession_take(struct succession *succession, struct linger_engine *engine,
			 struct users *users, const struct settings *settings,
			 const struct limits *limits, struct counters *counters);

/* Whether there is a queue that another version of lingerd has filled, with what this one cannot read. */
bool succession_is_foreign(const struct succession *succession);

/* Closes all that is in the queues, counted as restored and cut, and the queues. */
void succession_cut(struct succession *succession, struct counters *counters);

#endif
