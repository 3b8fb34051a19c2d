/* SPDX-License-Identifier: MIT */
#include "lingertrace/tally.h"

#include <stdlib.h>
#include <string.h>

#include "common/printable.h"
#include "tracer/reset_reason.h"

static struct tally *find(struct tallies *tallies, enum verdict verdict, const char *comm)
{
	struct tally *entries = tallies->entries[verdict];
	size_t i = 0;

	for (; i < TALLY_COMMS && entries[i].count; i++)
		if (!strcmp(entries[i].comm, comm))
			return &entries[i];
	if (!entries[i].count) {
		entries[i].verdict = verdict;
		strcpy(entries[i].comm, i < TALLY_COMMS ? comm : TALLY_OTHERS);
	}
	return &entries[i];
}

static uint64_t known(uint64_t value)
{
	return value == CLOSE_TRACE_UNKNOWN ? 0 : value;
}

static uint64_t duration(enum verdict verdict, const struct close_record *record)
{
	switch (verdict) {
	case VERDICT_BLOCKED:
		return record->close_call_ns;
	case VERDICT_CLOSE_WAIT:
		return record->close_wait_ns;
	case VERDICT_NEVER_CLOSED:
		return record->fin_wait_2_ns;
	default:
		return CLOSE_TRACE_UNKNOWN;
	}
}

enum verdict tallies_add(struct tallies *tallies, const struct close_record *record)
{
	const char *reason =
		record->flags & CLOSE_RESET_SENT ? reset_reason_name(record->reset_reason) : NULL;
	enum verdict verdict = verdict_of(record, reason);
	const struct close_caller *caller = verdict_responsible(verdict, record);
	char comm[CLOSE_TRACE_COMM_SIZE + 1] = "";
	struct tally *tally;
	uint64_t ns;

	if (verdict == VERDICT_FINE)
		return verdict;
	if (caller)
		printable_copy(comm, sizeof(comm), caller->comm, sizeof(caller->comm));
	tally = find(tallies, verdict, comm);
	tally->count++;
	tally->unread_bytes += known(record->unread_bytes);
	tally->unacked_bytes += known(record->unacked_bytes);
	ns = known(duration(verdict, record));
	if (ns > tally->longest_ns)
		tally->longest_ns = ns;
	return verdict;
}

static int compare(const void *left_pointer, const void *right_pointer)
{
	const struct tally *left = *(const struct tally *const *)left_pointer;
	const struct tally *right = *(const struct tally *const *)right_pointer;
	bool left_risk = verdict_is_risk(left->verdict);

	if (left_risk != verdict_is_risk(right->verdict))
		return left_risk ? -1 : 1;
	if (left->count != right->count)
		return left->count > right->count ? -1 : 1;
	if (left->verdict != right->verdict)
		return left->verdict < right->verdict ? -1 : 1;
	return strcmp(left->comm, right->comm);
}

size_t tallies_sort(const struct tallies *tallies, const struct tally *ret[TALLY_MOST])
{
	size_t count = 0;

	for (unsigned int verdict = 0; verdict < VERDICT_FINE; verdict++)
		for (size_t i = 0; i <= TALLY_COMMS && tallies->entries[verdict][i].count; i++)
			ret[count++] = &tallies->entries[verdict][i];
	qsort(ret, count, sizeof(*ret), compare);
	return count;
}
