/* SPDX-License-Identifier: MIT */
/* The live table: who closes connections on which port, and how they ended in the last interval. */
#ifndef LINGERTRACE_TOP_H
#define LINGERTRACE_TOP_H

#include <stdbool.h>
#include <stdio.h>

#include "lingertrace/tally.h"
#include "lingertrace/totals.h"
#include "tracer/tracer.h"

struct top;

/*
 * out: stdout, say; on a terminal, the table takes its screen until top_close(). local_ports: group by the local
 * port; otherwise by the lower of both ports, which is the server's nearly always. NULL: no memory.
 */
struct top *top_new(FILE *out, uint64_t interval_ns, bool local_ports);

void top_add(struct top *top, const struct close_record *record, enum verdict verdict);

/*
 * Prints the table when the interval is over, and begins the next. ends: prints what there is now, except on
 * a terminal, whose screen is restored at once. 0, or the negative errno of writing; may block.
 */
int top_run(struct top *top, const struct totals *totals, const struct tallies *tallies,
	    const struct tracer_counts *counts, bool ends);

/* Restores the screen and frees; NULL is allowed. */
void top_close(struct top *top);

#endif
