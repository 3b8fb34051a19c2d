/* SPDX-License-Identifier: GPL-2.0-only */
/* How long a connection stays in the states of its close. Part of close_trace.bpf.c. */
#ifndef STATES_H
#define STATES_H

#include "connections.h"

/* Where the stay in a state is written; NULL: it is not measured here. */
static __u64 *stay_in(struct close_record *record, int state)
{
	switch (state) {
	case TCP_FIN_WAIT1:
		return &record->fin_wait_1_ns;
	case TCP_CLOSING:
		return &record->closing_ns;
	case TCP_CLOSE_WAIT:
		return &record->close_wait_ns;
	case TCP_LAST_ACK:
		return &record->last_ack_ns;
	default: /* FIN_WAIT_2 and TIME_WAIT go on in a mini-socket */
		return NULL;
	}
}

static void end_fin_wait_2(struct connection *connection, __u64 now)
{
	struct close_record *record = &connection->record;

	if (connection->mini_at)
		record->mini_socket_ns = now > connection->mini_at ? now - connection->mini_at : 0;
	if (!connection->fin_wait_2_at)
		return;
	if (!connection->outlived)
		record->mini_socket_ns = 0;
	record->fin_wait_2_ns = now - connection->fin_wait_2_at;
	if (record->flags & CLOSE_CALLED) {
		__u64 orphaned_at = record->closed_ns > connection->fin_wait_2_at
					    ? record->closed_ns
					    : connection->fin_wait_2_at;

		record->orphan_ns = now - orphaned_at;
	} else if (!connection->outlived) { /* a mini-socket comes after a close(), seen or not */
		record->orphan_ns = 0;
	}
}

static void enter_state(struct connection *connection, int to, __u64 now)
{
	__u64 *stay = stay_in(&connection->record, connection->state);

	if (stay && connection->entered_at)
		*stay = now - connection->entered_at;
	connection->state = to;
	connection->entered_at = now;
	if (to == TCP_FIN_WAIT2)
		connection->fin_wait_2_at = now;
	if (to == TCP_CLOSE && connection->had_mini)
		return;
	connection->record.state = to;
	connection->record.state_since_ns = now;
}

/* The event that led to this state was missed: what it would have measured is not known. */
static void enter_missed_state(struct connection *connection, int state)
{
	connection->state = state;
	connection->record.flags |= CLOSE_FIN_WAIT_2 | CLOSE_INCOMPLETE;
	connection->record.state_since_ns = CLOSE_TRACE_UNKNOWN;
	connection->entered_at = connection->fin_wait_2_at = 0;
	__sync_fetch_and_add(&missed_states, 1);
}

#endif
