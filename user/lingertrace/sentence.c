/* SPDX-License-Identifier: MIT */
#include "lingertrace/sentence.h"

#include <inttypes.h>

#include "common/units.h"

#define LINGER "half-close and drain, or hand to lingerd"

struct words {
	char unread[UNITS_SIZE + 1]; /* with a blank behind it; empty if not known */
	char unacked[UNITS_SIZE];
	char longest[UNITS_SIZE];
	const char *who;
};

/* What stands behind "N responses probably cut off: " or "N responses at risk: ". */
static void say_risk(char *text, size_t size, enum verdict verdict, const struct words *words)
{
	const char *who = words->who;

	switch (verdict) {
	case VERDICT_UNREAD_CUT:
		snprintf(text, size,
			 "closed with %sunread data by %s while %s were not acknowledged (RST "
			 "sent); " LINGER,
			 words->unread, who, words->unacked);
		break;
	case VERDICT_UNREAD:
		snprintf(text, size, "closed with %sunread data by %s (RST sent); " LINGER,
			 words->unread, who);
		break;
	case VERDICT_LATE_DATA_CUT:
		snprintf(text, size,
			 "data came after close() by %s while %s were not acknowledged (RST "
			 "sent); " LINGER,
			 who, words->unacked);
		break;
	case VERDICT_LATE_DATA:
		snprintf(text, size, "data came after close() by %s (RST sent); " LINGER, who);
		break;
	case VERDICT_ABORTIVE_CUT:
		snprintf(text, size,
			 "aborted by %s while %s were not acknowledged (RST sent); do not set "
			 "SO_LINGER to 0",
			 who, words->unacked);
		break;
	case VERDICT_ABORTIVE:
		snprintf(text, size, "aborted by %s (RST sent); do not set SO_LINGER to 0", who);
		break;
	case VERDICT_MEMORY_CUT:
		snprintf(text, size,
			 "closed by %s, then dropped for want of memory while %s were not "
			 "acknowledged (RST sent); raise net.ipv4.tcp_max_orphans or tcp_mem",
			 who, words->unacked);
		break;
	case VERDICT_MEMORY:
		snprintf(text, size,
			 "closed by %s, then dropped for want of memory (RST sent); raise "
			 "net.ipv4.tcp_max_orphans or tcp_mem",
			 who);
		break;
	case VERDICT_PEER_RESET_CUT:
		snprintf(text, size,
			 "the peer sent an RST while %s from %s were not acknowledged; the peer "
			 "gave up first, look at its time-outs",
			 words->unacked, who);
		break;
	case VERDICT_GAVE_UP_CUT:
		snprintf(text, size,
			 "the peer no longer answered while %s from %s were not acknowledged; "
			 "look at the network",
			 words->unacked, who);
		break;
	default:
		snprintf(text, size,
			 "the kernel sent an RST on a connection of %s; rst_reason in its row says "
			 "why",
			 who);
	}
}

static void say_notice(char *text, const struct tally *tally, const struct words *words)
{
	const char *plural = tally->count == 1 ? "" : "s";

	switch (tally->verdict) {
	case VERDICT_BLOCKED:
		snprintf(text, SENTENCE_SIZE,
			 "close() blocked %s %" PRIu64 " time%s for 100 ms or more, up to %s "
			 "(SO_LINGER); hand to lingerd instead",
			 words->who, tally->count, plural, words->longest);
		break;
	case VERDICT_CLOSE_WAIT:
		snprintf(text, SENTENCE_SIZE,
			 "%" PRIu64 " connection%s in CLOSE_WAIT for 5 s or more, up to %s, until "
			 "%s closed; it should close when the peer has",
			 tally->count, plural, words->longest, words->who);
		break;
	case VERDICT_CLOSE_WAIT_OPEN:
		snprintf(text, SENTENCE_SIZE,
			 "%" PRIu64
			 " connection%s in CLOSE_WAIT when the trace ended: the peer has "
			 "closed, this side has not; a leak if they stay (ss -tp state close-wait)",
			 tally->count, plural);
		break;
	case VERDICT_NEVER_CLOSED:
		snprintf(text, SENTENCE_SIZE,
			 "%" PRIu64 " peer%s of %s did not close until FIN_WAIT_2 ran out%s%s; all "
			 "was acknowledged, net.ipv4.tcp_fin_timeout is how long they hold memory",
			 tally->count, plural, words->who,
			 tally->longest_ns ? ", after up to " : "",
			 tally->longest_ns ? words->longest : "");
		break;
	case VERDICT_CLIENT:
		snprintf(text, SENTENCE_SIZE,
			 "%" PRIu64 " connection%s that %s made as a client ended with an RST or "
			 "without an answer; the response, if any, was the other side's",
			 tally->count, plural, words->who);
		break;
	default:
		snprintf(text, SENTENCE_SIZE,
			 "%" PRIu64 " connection%s of %s without TIME_WAIT (TCPTimeWaitOverflow), "
			 "late packets get an RST; raise net.ipv4.tcp_max_tw_buckets",
			 tally->count, plural, words->who);
	}
}

void sentence_of(char text[SENTENCE_SIZE], const struct tally *tally)
{
	struct words words = { .who = tally->comm[0] ? tally->comm : "an unknown process" };
	bool cut = tally->verdict < VERDICT_UNREAD;
	int used;

	if (tally->unread_bytes)
		snprintf(words.unread, sizeof(words.unread), "%s ",
			 units_bytes(text, tally->unread_bytes));
	units_bytes(words.unacked, tally->unacked_bytes);
	units_duration(words.longest, tally->longest_ns);
	if (!verdict_is_risk(tally->verdict)) {
		say_notice(text, tally, &words);
		return;
	}
	used = snprintf(text, SENTENCE_SIZE, "%" PRIu64 " response%s %s: ", tally->count,
			tally->count == 1 ? "" : "s", cut ? "probably cut off" : "at risk");
	say_risk(text + used, SENTENCE_SIZE - (size_t)used, tally->verdict, &words);
}

void sentences_print(const struct tallies *tallies, bool partial, FILE *out)
{
	const struct tally *sorted[TALLY_MOST];
	size_t count = tallies_sort(tallies, sorted);
	char text[SENTENCE_SIZE];

	if (!count || !verdict_is_risk(sorted[0]->verdict))
		fprintf(out, "no response was at risk%s\n",
			partial ? ", as far as was seen: not all was" : "");
	for (size_t i = 0; i < count; i++) {
		sentence_of(text, sorted[i]);
		fprintf(out, "%s\n", text);
	}
}
