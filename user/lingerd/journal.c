/* SPDX-License-Identifier: MIT */
#include "lingerd/journal.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/units.h"

static const uint64_t QUIET_NS = 10 * NS_PER_S;

static const struct {
	size_t counter;
	const char *text;
} notices[JOURNAL_NOTICES] = {
	{ offsetof(struct counters, intake_pauses),
	  "full: servers wait, and close for themselves, until some connections have ended" },
	{ offsetof(struct counters, user_pauses),
	  "a server waits: max-per-user connections of its user linger" },
	{ offsetof(struct counters, senders_evicted),
	  "more processes hand over than there is room for: the silent ones must connect anew" },
	{ offsetof(struct counters, ended_shed),
	  "full: the oldest connection was given up for another" },
	{ offsetof(struct counters, ended_quota),
	  "a connection was closed at once: max-per-client of its client linger" },
	{ offsetof(struct counters, unwatched),
	  "the kernel watches no more descriptors of ours (fs.epoll.max_user_watches?): a "
	  "connection is looked at when it times out" },
	{ offsetof(struct counters, ended_error), "a connection was ended by an error" },
};

static uint64_t counter_of(const struct counters *counters, size_t notice)
{
	return *(const uint64_t *)((const char *)counters + notices[notice].counter);
}

static void say_notices(struct journal *journal, const struct counters *counters, uint64_t now_ns)
{
	for (size_t i = 0; i < JOURNAL_NOTICES; i++) {
		uint64_t value = counter_of(counters, i);

		if (value == journal->notices[i].said ||
		    now_ns < journal->notices[i].quiet_until_ns)
			continue;
		log_warning("%s (%" PRIu64 " time%s since the last such line)", notices[i].text,
			    value - journal->notices[i].said,
			    units_plural(value - journal->notices[i].said));
		journal->notices[i].said = value;
		journal->notices[i].quiet_until_ns = now_ns + QUIET_NS;
	}
}

/* Grows with all that is worth a summary. */
static uint64_t activity(const struct counters *counters)
{
	return counters->handoffs + counters->restored + counters_sum(counters, COUNTER_END) +
	       counters_sum(counters, COUNTER_REFUSAL);
}

static const char *sums(const struct counters *c, char text[COUNTERS_TEXT_MAX])
{
	char ends[COUNTERS_TEXT_MAX], restored[64] = "", passed_on[64] = "";

	counters_format_ends(c, ends);
	/* Only a restart has these, and without them the line would not add up. */
	if (c->restored)
		snprintf(restored, sizeof(restored), ", %" PRIu64 " restored", c->restored);
	if (c->passed_on)
		snprintf(passed_on, sizeof(passed_on), "; %" PRIu64 " passed on", c->passed_on);
	snprintf(text, COUNTERS_TEXT_MAX,
		 "%" PRIu64 " handoffs%s: %.2048s%s; %" PRIu64 " refused, %" PRIu64
		 " bytes drained",
		 c->handoffs, restored, ends, passed_on, counters_sum(c, COUNTER_REFUSAL),
		 c->drained_bytes);
	return text;
}

static void say_summary(struct journal *journal, const struct counters *counters, uint64_t now_ns)
{
	char text[COUNTERS_TEXT_MAX];
	struct counters since;

	counters_since(counters, &journal->summed, &since);
	log_info("in %.0f s: %s; %" PRIu64 " linger now",
		 (double)(now_ns - journal->active_from_ns) / NS_PER_S, sums(&since, text),
		 counters->lingers);
	journal->summed = *counters;
	journal->active_from_ns = 0;
}

void journal_tick(struct journal *journal, const struct counters *counters, uint64_t interval_ns,
		  uint64_t now_ns)
{
	say_notices(journal, counters, now_ns);
	if (!journal->active_from_ns && activity(counters) != activity(&journal->summed))
		journal->active_from_ns = now_ns;
	if (interval_ns && journal->active_from_ns &&
	    now_ns - journal->active_from_ns >= interval_ns)
		say_summary(journal, counters, now_ns);
}

uint64_t journal_next_ns(const struct journal *journal, const struct counters *counters,
			 uint64_t interval_ns)
{
	uint64_t next = UINT64_MAX;

	if (interval_ns && journal->active_from_ns)
		next = journal->active_from_ns + interval_ns;
	for (size_t i = 0; i < JOURNAL_NOTICES; i++)
		if (counter_of(counters, i) != journal->notices[i].said &&
		    journal->notices[i].quiet_until_ns < next)
			next = journal->notices[i].quiet_until_ns;
	return next;
}

void journal_say_end(const struct counters *counters)
{
	char text[COUNTERS_TEXT_MAX];

	log_info("ended: %s", sums(counters, text));
}
