/* SPDX-License-Identifier: MIT */
/* Verdicts, added up by what happened and by whom, in memory that does not grow. */
#ifndef LINGERTRACE_TALLY_H
#define LINGERTRACE_TALLY_H

#include <stddef.h>
#include <stdint.h>

#include "tracer/verdict.h"

enum {
	TALLY_COMMS = 16, /* per verdict; the others share one entry */
	TALLY_MOST = VERDICT_COUNT * (TALLY_COMMS + 1),
};

#define TALLY_OTHERS "(others)"

struct tally {
	enum verdict verdict;
	char comm[CLOSE_TRACE_COMM_SIZE + 1]; /* printable; "" if not known */
	uint64_t count;
	uint64_t unread_bytes;
	uint64_t unacked_bytes;
	uint64_t longest_ns; /* of what the verdict is about: close(), CLOSE_WAIT, FIN_WAIT_2 */
};

/* All zero: empty. An entry whose count is 0 is free, and so are those behind it. */
struct tallies {
	struct tally entries[VERDICT_COUNT][TALLY_COMMS + 1];
};

/* Judges and adds. Returns the verdict. */
enum verdict tallies_add(struct tallies *tallies, const struct close_record *record);

/*
 * The entries but those of VERDICT_FINE: what was at risk first, in each half by count. They stay the
 * tallies', until the next tallies_add(). Returns how many.
 */
size_t tallies_sort(const struct tallies *tallies, const struct tally *ret[TALLY_MOST]);

#endif
