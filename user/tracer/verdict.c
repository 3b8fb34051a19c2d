/* SPDX-License-Identifier: MIT */
#include "tracer/verdict.h"

#include <netinet/tcp.h>
#include <stddef.h>
#include <string.h>

static bool is_known(uint64_t value)
{
	return value != CLOSE_TRACE_UNKNOWN;
}

static bool is(const char *reason, const char *name)
{
	return reason && !strcmp(reason, name);
}

/*
 * unacked_bytes are counted at close(). Whoever has got to FIN_WAIT_2 or beyond since then has had all of them
 * acknowledged, the FIN being behind them.
 */
static bool is_cut(const struct close_record *record)
{
	bool finished = record->flags & CLOSE_FIN_WAIT_2 && !(record->flags & CLOSE_INCOMPLETE);

	return is_known(record->unacked_bytes) && record->unacked_bytes && !finished;
}

static bool was_unread(const struct close_record *record, const char *reason)
{
	if (is(reason, "tcp_abort_on_close"))
		return true;
	return record->flags & CLOSE_CALLED && is_known(record->unread_bytes) &&
	       record->unread_bytes;
}

/* When the RST came from within close(), it was not an answer to data. */
static bool ended_in_close(const struct close_record *record)
{
	if (!(record->flags & CLOSE_CALLED) || !is_known(record->ended_ns))
		return false;
	if (!is_known(record->close_call_ns)) /* the first state that it sets may be the end */
		return record->ended_ns == record->closed_ns || !(record->flags & CLOSE_FIN_SENT);
	return record->ended_ns >= record->closed_ns &&
	       record->ended_ns - record->closed_ns <= record->close_call_ns;
}

static enum verdict judge_reset_sent(const struct close_record *record, const char *reason)
{
	bool cut = is_cut(record);

	if (is(reason, "tcp_abort_on_memory"))
		return cut ? VERDICT_MEMORY_CUT : VERDICT_MEMORY;
	if (is(reason, "tcp_keepalive_timeout"))
		return cut ? VERDICT_GAVE_UP_CUT : VERDICT_FINE;
	if (was_unread(record, reason))
		return cut ? VERDICT_UNREAD_CUT : VERDICT_UNREAD;
	if (is(reason, "tcp_disconnect_with_data") || is(reason, "tcp_abort_on_linger") ||
	    ended_in_close(record))
		return cut ? VERDICT_ABORTIVE_CUT : VERDICT_ABORTIVE;
	if (record->flags & CLOSE_CALLED &&
	    (!reason || is(reason, "tcp_abort_on_data") || is(reason, "tcp_timewait_socket") ||
	     record->flags & CLOSE_RESET_RECEIVED))
		return cut ? VERDICT_LATE_DATA_CUT : VERDICT_LATE_DATA;
	return VERDICT_RESET;
}

static enum verdict judge_rest(const struct close_record *record)
{
	if (is_known(record->close_call_ns) && record->close_call_ns >= VERDICT_BLOCKED_NS)
		return VERDICT_BLOCKED;
	if (is_known(record->close_wait_ns) && record->close_wait_ns >= VERDICT_CLOSE_WAIT_NS)
		return VERDICT_CLOSE_WAIT;
	if (record->end == CLOSE_END_OPEN && record->state == TCP_CLOSE_WAIT)
		return VERDICT_CLOSE_WAIT_OPEN;
	if (record->end == CLOSE_END_TIMEOUT)
		return VERDICT_NEVER_CLOSED;
	if (record->flags & CLOSE_TIME_WAIT_OVERFLOW)
		return VERDICT_TIME_WAIT_OVERFLOW;
	return VERDICT_FINE;
}

static enum verdict judge(const struct close_record *record, const char *reset_reason)
{
	if (record->end == CLOSE_END_RESET_SENT)
		return judge_reset_sent(record, reset_reason);
	if (record->end == CLOSE_END_RESET_RECEIVED && is_cut(record))
		return VERDICT_PEER_RESET_CUT;
	if (record->end == CLOSE_END_ABORTED && is_cut(record))
		return VERDICT_GAVE_UP_CUT;
	return judge_rest(record);
}

enum verdict verdict_of(const struct close_record *record, const char *reset_reason)
{
	enum verdict verdict = judge(record, reset_reason);

	return verdict_is_risk(verdict) && record->flags & CLOSE_CONNECTED ? VERDICT_CLIENT
									   : verdict;
}

const char *verdict_name(enum verdict verdict)
{
	static const char *const names[] = {
		[VERDICT_UNREAD_CUT] = "unread_cut",
		[VERDICT_LATE_DATA_CUT] = "late_data_cut",
		[VERDICT_ABORTIVE_CUT] = "abortive_cut",
		[VERDICT_MEMORY_CUT] = "memory_cut",
		[VERDICT_PEER_RESET_CUT] = "peer_reset_cut",
		[VERDICT_GAVE_UP_CUT] = "gave_up_cut",
		[VERDICT_UNREAD] = "unread",
		[VERDICT_LATE_DATA] = "late_data",
		[VERDICT_ABORTIVE] = "abortive",
		[VERDICT_MEMORY] = "memory",
		[VERDICT_RESET] = "reset",
		[VERDICT_BLOCKED] = "blocked",
		[VERDICT_CLOSE_WAIT] = "close_wait",
		[VERDICT_CLOSE_WAIT_OPEN] = "close_wait_open",
		[VERDICT_NEVER_CLOSED] = "never_closed",
		[VERDICT_TIME_WAIT_OVERFLOW] = "time_wait_overflow",
		[VERDICT_CLIENT] = "client",
		[VERDICT_FINE] = "fine",
	};

	return names[verdict];
}

bool verdict_is_risk(enum verdict verdict)
{
	return verdict <= VERDICT_RESET;
}

const struct close_caller *verdict_responsible(enum verdict verdict,
					       const struct close_record *record)
{
	bool of_response = verdict == VERDICT_PEER_RESET_CUT || verdict == VERDICT_GAVE_UP_CUT ||
			   verdict == VERDICT_NEVER_CLOSED || verdict == VERDICT_TIME_WAIT_OVERFLOW;
	const struct close_caller *first = of_response ? &record->half_closer : &record->closer;
	const struct close_caller *second = of_response ? &record->closer : &record->half_closer;

	if (first->pid)
		return first;
	return second->pid ? second : NULL;
}
