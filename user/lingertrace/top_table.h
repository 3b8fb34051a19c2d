/* SPDX-License-Identifier: MIT */
/* How the live table looks: 80 columns. */
#ifndef LINGERTRACE_TOP_TABLE_H
#define LINGERTRACE_TOP_TABLE_H

#include <stdbool.h>
#include <stdio.h>

#include "common/histogram.h"
#include "lingertrace/tally.h"
#include "lingertrace/totals.h"
#include "tracer/tracer.h"

struct top_key {
	char comm[CLOSE_TRACE_COMM_SIZE + 1]; /* printable; "" if not known */
	uint16_t port;
	bool is_remote; /* the peer's port */
};

/* As strcmp(). */
int top_key_compare(const struct top_key *left, const struct top_key *right);

struct top_group {
	struct top_key key;
	uint64_t connections;
	uint64_t ends[TOTALS_ENDS];
	uint64_t at_risk;
	struct histogram *fin_wait_2; /* NULL: none was known */
};

/*
 * Sorts the groups, those with responses at risk first, and prints as many as leave room for the rest in that
 * many lines, 0 for all. passed_ns: in which they were counted.
 */
void top_table_print(FILE *out, struct top_group *groups, size_t count, uint64_t passed_ns,
		     unsigned int lines);

/* The losses and the verdicts since the start. */
void top_table_print_foot(FILE *out, const struct totals *totals, const struct tallies *tallies,
			  const struct tracer_counts *counts);

#endif
