/* SPDX-License-Identifier: MIT */
#include "lingertrace/top_table.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/clock.h"
#include "common/units.h"
#include "lingertrace/sentence.h"

enum {
	LINES_AROUND = 8, /* headings, sum, foot, and some verdicts */
	LINES_LEAST = 3,
};

int top_key_compare(const struct top_key *left, const struct top_key *right)
{
	if (left->port != right->port)
		return left->port < right->port ? -1 : 1;
	if (left->is_remote != right->is_remote)
		return left->is_remote ? 1 : -1;
	return strcmp(left->comm, right->comm);
}

static int compare(const void *left_pointer, const void *right_pointer)
{
	const struct top_group *left = left_pointer, *right = right_pointer;

	if (left->at_risk != right->at_risk)
		return left->at_risk > right->at_risk ? -1 : 1;
	if (left->connections != right->connections)
		return left->connections > right->connections ? -1 : 1;
	return top_key_compare(&left->key, &right->key);
}

/* At most six characters: "12.3ms". */
static const char *short_percentile(char cell[UNITS_SIZE], const struct histogram *histogram,
				    unsigned int percent)
{
	char *blank;

	if (!histogram || !histogram->count)
		return "-";
	units_duration(cell, histogram_percentile(histogram, percent));
	blank = strchr(cell, ' ');
	memmove(blank, blank + 1, strlen(blank));
	return cell;
}

static const char *port_cell(char cell[UNITS_SIZE], const struct top_key *key)
{
	if (!key->port)
		return "";
	snprintf(cell, UNITS_SIZE, "%s%u", key->is_remote ? ">" : "", key->port);
	return cell;
}

static void print_group(FILE *out, const struct top_group *group, uint64_t passed_ns)
{
	uint64_t other = group->ends[CLOSE_END_ABORTED] + group->ends[CLOSE_END_OPEN] +
			 group->ends[CLOSE_END_UNKNOWN];
	double per_s = (double)group->connections * 1e9 / (double)passed_ns;
	char cells[10][UNITS_SIZE];

	fprintf(out, "%-15s %6s %7s %5s %5s %5s %5s %5s %5s %6s %6s\n",
		group->key.comm[0] ? group->key.comm : "?", port_cell(cells[0], &group->key),
		units_rate(cells[9], per_s), units_count(cells[1], group->ends[CLOSE_END_FIN]),
		units_count(cells[2], group->ends[CLOSE_END_TIMEOUT]),
		units_count(cells[3], group->ends[CLOSE_END_RESET_SENT]),
		units_count(cells[4], group->ends[CLOSE_END_RESET_RECEIVED]),
		units_count(cells[5], other), units_count(cells[6], group->at_risk),
		short_percentile(cells[7], group->fin_wait_2, 50),
		short_percentile(cells[8], group->fin_wait_2, 99));
}

/* Of all groups, but for the percentiles. */
static void add_up(struct top_group *ret, const struct top_group *groups, size_t count)
{
	memset(ret, 0, sizeof(*ret));
	strcpy(ret->key.comm, "all");
	for (size_t i = 0; i < count; i++) {
		ret->connections += groups[i].connections;
		ret->at_risk += groups[i].at_risk;
		for (unsigned int end = 0; end < TOTALS_ENDS; end++)
			ret->ends[end] += groups[i].ends[end];
	}
}

void top_table_print(FILE *out, struct top_group *groups, size_t count, uint64_t passed_ns,
		     unsigned int lines)
{
	unsigned int room = lines > LINES_AROUND + LINES_LEAST ? lines - LINES_AROUND : LINES_LEAST;
	struct top_group all;
	char clock[16], head[64];
	time_t now = time(NULL);
	struct tm local;

	localtime_r(&now, &local);
	strftime(clock, sizeof(clock), "%H:%M:%S", &local);
	qsort(groups, count, sizeof(*groups), compare);
	snprintf(head, sizeof(head), "%s, the last %.1f s", clock, (double)passed_ns / NS_PER_S);
	fprintf(out, "%-38s%12s%30s\n", head, "by end", "FIN_WAIT_2");
	fprintf(out, "%-15s %6s %7s %5s %5s %5s %5s %5s %5s %6s %6s\n", "closer", "port", "conn/s",
		"fin", "t/out", "rst>", "rst<", "other", "risk", "p50", "p99");
	for (size_t i = 0; i < count && (!lines || i < room); i++)
		print_group(out, &groups[i], passed_ns);
	if (lines && count > room)
		fprintf(out, "(%zu more)\n", count - room);
	add_up(&all, groups, count);
	print_group(out, &all, passed_ns);
}

void top_table_print_foot(FILE *out, const struct totals *totals, const struct tallies *tallies,
			  const struct tracer_counts *counts)
{
	bool partial = counts->ring_full || counts->map_full || counts->missed_events;

	fprintf(out,
		"\nsince the start: %" PRIu64 " ended, %" PRIu64 " at risk; lost %" PRIu64
		" (ring full) + %" PRIu64 " (table full)\n",
		totals->rows, totals->at_risk, counts->ring_full, counts->map_full);
	if (counts->missed_events)
		fprintf(out, "%" PRIu64 " event%s missed, %" PRIu64 " row%s incomplete\n",
			counts->missed_events, units_plural(counts->missed_events),
			totals->incomplete, units_plural(totals->incomplete));
	sentences_print(tallies, partial, out);
}
