/* SPDX-License-Identifier: MIT */
#include "lingertrace/top.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/printable.h"
#include "common/screen.h"
#include "lingertrace/top_table.h"

/* What there is no group for goes to the last one. */
enum { GROUPS = 128 };

struct top {
	struct screen screen;
	uint64_t interval_ns;
	uint64_t began_ns;
	bool local_ports;
	size_t count;
	struct top_group groups[GROUPS];
};

struct top *top_new(FILE *out, uint64_t interval_ns, bool local_ports)
{
	struct top *top = calloc(1, sizeof(*top));

	if (!top)
		return NULL;
	top->interval_ns = interval_ns;
	top->began_ns = clock_now_ns();
	top->local_ports = local_ports;
	screen_open(&top->screen, out);
	return top;
}

/* Of a connection that was there before the trace, the lower port is most likely the server's. */
static bool is_client(const struct close_record *record)
{
	if (record->flags & (CLOSE_ACCEPTED | CLOSE_CONNECTED))
		return record->flags & CLOSE_CONNECTED;
	return record->rport < record->lport;
}

static void key_of(const struct top *top, const struct close_record *record, struct top_key *ret)
{
	const struct close_caller *caller =
		record->closer.pid ? &record->closer : &record->half_closer;

	memset(ret, 0, sizeof(*ret));
	printable_copy(ret->comm, sizeof(ret->comm), caller->comm, sizeof(caller->comm));
	ret->is_remote = !top->local_ports && is_client(record);
	ret->port = ret->is_remote ? record->rport : record->lport;
}

static struct top_group *find(struct top *top, const struct top_key *key)
{
	struct top_group *group;

	for (size_t i = 0; i < top->count; i++)
		if (!top_key_compare(&top->groups[i].key, key))
			return &top->groups[i];
	if (top->count == GROUPS)
		return &top->groups[GROUPS - 1];
	group = &top->groups[top->count++];
	group->key = *key;
	if (top->count == GROUPS) {
		memset(&group->key, 0, sizeof(group->key));
		strcpy(group->key.comm, TALLY_OTHERS);
	}
	return group;
}

static void observe_fin_wait_2(struct top_group *group, uint64_t ns)
{
	if (ns == CLOSE_TRACE_UNKNOWN)
		return;
	if (!group->fin_wait_2)
		group->fin_wait_2 = calloc(1, sizeof(*group->fin_wait_2));
	if (group->fin_wait_2) /* without memory there are no percentiles */
		histogram_add(group->fin_wait_2, ns);
}

void top_add(struct top *top, const struct close_record *record, enum verdict verdict)
{
	struct top_group *group;
	struct top_key key;

	key_of(top, record, &key);
	group = find(top, &key);
	group->connections++;
	group->ends[totals_end(record)]++;
	group->at_risk += verdict_is_risk(verdict);
	observe_fin_wait_2(group, record->fin_wait_2_ns);
}

/* The histograms stay, for whoever gets the place next. */
static void forget(struct top *top)
{
	for (size_t i = 0; i < top->count; i++) {
		struct histogram *histogram = top->groups[i].fin_wait_2;

		if (histogram)
			memset(histogram, 0, sizeof(*histogram));
		top->groups[i] = (struct top_group){ .fin_wait_2 = histogram };
	}
	top->count = 0;
}

int top_run(struct top *top, const struct totals *totals, const struct tallies *tallies,
	    const struct tracer_counts *counts, bool ends)
{
	uint64_t now = clock_now_ns();
	uint64_t passed = now - top->began_ns;
	char *frame = NULL;
	size_t size;
	FILE *memory;
	int result;

	if (ends ? top->screen.is_terminal || !passed : passed < top->interval_ns)
		return 0;
	memory = open_memstream(&frame, &size);
	if (!memory)
		return -errno;
	top_table_print(memory, top->groups, top->count, passed, screen_lines(&top->screen));
	top_table_print_foot(memory, totals, tallies, counts);
	if (fclose(memory)) {
		free(frame);
		return -ENOMEM;
	}
	result = screen_show(&top->screen, frame);
	free(frame);
	forget(top);
	top->began_ns = now;
	return result;
}

void top_close(struct top *top)
{
	if (!top)
		return;
	screen_close(&top->screen);
	for (size_t i = 0; i < GROUPS; i++)
		free(top->groups[i].fin_wait_2);
	free(top);
}
