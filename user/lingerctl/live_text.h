/* SPDX-License-Identifier: MIT */
/* How one interval of a running daemon looks: as a table, as a line, as JSON. */
#ifndef LINGERCTL_LIVE_TEXT_H
#define LINGERCTL_LIVE_TEXT_H

#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include "lingerd/counters.h"

struct interval {
	struct counters now;
	struct counters since; /* the last look, as counters_since() has it */
	uint64_t passed_ns;    /* since then; more than 0 */
	time_t at;	       /* since 1970 */
};

/* 80 columns and less than 24 lines: every cause, whether there were any or not, so that nothing jumps. */
void live_print_table(FILE *out, const struct interval *interval, const char *socket_path);

/* One line, 80 columns, and what stands above such lines. */
void live_print_head(FILE *out);
void live_print_line(FILE *out, const struct interval *interval);

/*
 * One line with an object: "time" (seconds since 1970), "seconds" (the length of the interval), "now" (what
 * lingerctl status --json prints) and "per_second" (of each counter that is no gauge). 0 or -ENOMEM with
 * nothing printed.
 */
int live_print_json(FILE *out, const struct interval *interval);

#endif
