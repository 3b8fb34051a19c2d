/* SPDX-License-Identifier: MIT */
/*
 * What the log is told of things that happen to many connections: never a line for each.
 *
 * Notices	what an operator should know of (the daemon is full, a quota is used up...): the first time
 *		at once, then how often it was since, at most every ten seconds.
 * Summaries	at intervals, how many connections came and how they ended. Where nothing happened there is
 *		none, and no timer runs.
 *
 * Both follow from the counters, so nobody has to report to it. Refused messages, whose sender is said with
 * them, are refusal.h's.
 */
#ifndef LINGERD_JOURNAL_H
#define LINGERD_JOURNAL_H

#include <stdint.h>

#include "lingerd/counters.h"

enum { JOURNAL_NOTICES = 7 };

/* All zero: nothing has been said. */
struct journal {
	struct {
		uint64_t said; /* the counter, when it was last told of */
		uint64_t quiet_until_ns;
	} notices[JOURNAL_NOTICES];
	struct counters summed;	 /* at the last summary */
	uint64_t active_from_ns; /* something has happened since the last summary; 0: nothing has */
};

/* To be called in every round. interval_ns: between summaries; 0: there are none. */
void journal_tick(struct journal *journal, const struct counters *counters, uint64_t interval_ns,
		  uint64_t now_ns);
/* When journal_tick() has something to say; UINT64_MAX: never. */
uint64_t journal_next_ns(const struct journal *journal, const struct counters *counters,
			 uint64_t interval_ns);

/* The last line. */
void journal_say_end(const struct counters *counters);

#endif
