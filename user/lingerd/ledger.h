/* SPDX-License-Identifier: MIT */
/*
 * What one process of the daemon tells another one all the time: its books, in memory that both have. The writer
 * publishes them as a whole; the reader gets such a whole, never parts of two, and neither waits for the other.
 */
#ifndef LINGERD_LEDGER_H
#define LINGERD_LEDGER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lingerd/counters.h"
#include "lingerd/engine.h"
#include "lingerd/users.h"

/* received == counters.lingers + the sum of its ends + counters.passed_on */
struct report {
	struct counters counters;
	struct linger_times times;
	struct metrics_histogram rounds; /* of its loop */
	uint64_t received;		 /* connections that were moved to it */
	uint64_t heard;			 /* messages, of whatever kind */
	uint64_t shed;	    /* how many it was to give up, whether it had them or not */
	uint64_t oldest_ns; /* when the oldest that it has was taken; UINT64_MAX: none */
	uint32_t user_count;
	struct {
		uid_t uid;
		uint32_t open;
	} users[USERS_MAX];
};

/* All zero: nothing has been published. */
struct ledger {
	_Atomic uint32_t version; /* odd while the report is being written */
	_Atomic uint64_t
		due_ns; /* the writer will have worked again by then; UINT64_MAX: if there is work */
	struct report report;
};

/* Shared with the children that are forked later. NULL: no memory. */
struct ledger *ledger_new(void);
void ledger_free(struct ledger *ledger);

void ledger_publish(struct ledger *ledger, const struct report *report);
/*
 * *version: that of *report, and of what was read. Whether *report is another one now; not if there is none, or the writer was at
 * it for as long as was tried.
 */
bool ledger_read(const struct ledger *ledger, uint32_t *version, struct report *report);

#endif
