/* SPDX-License-Identifier: GPL-2.0-only */
/* What no event takes out of the tables, but time. Run by user space. Part of close_trace.bpf.c. */
#ifndef LEFTOVERS_H
#define LEFTOVERS_H

#include "close_returns.h"
#include "ends.h"

struct leftovers_context {
	__u64 min_age_ns;
	__u64 stale_ns;
	__u64 now;
};

static long decide_one(void *map, __u64 *key, __u64 *since, struct leftovers_context *context)
{
	struct connection *connection;
	__u64 cookie = *key;

	if (*since + context->min_age_ns > context->now) /* it may be younger than now */
		return 0;
	/* Who ends the doubt has the hold on the connection. */
	if (!end_doubt(cookie))
		return 0;
	connection = lookup(cookie);
	if (!connection)
		return 0;
	decide_end(connection);
	release(cookie, connection);
	return 0;
}

/* Whether somebody destroyed the mini-socket, or the event that was its end was missed. */
static bool end_lost_stay(__u64 cookie, struct connection *connection)
{
	if (connection->mini != MINI_FIN_WAIT_2 || !connection->mini_socket ||
	    is_mini_there(connection->mini_socket, cookie) ||
	    !leave_mini(connection, MINI_FIN_WAIT_2))
		return false;
	connection->record.end = CLOSE_END_UNKNOWN;
	connection->record.flags |= CLOSE_INCOMPLETE;
	release(cookie, connection);
	return true;
}

/*
 * After close(), a socket in CLOSE is destroyed at once, and a mini-socket lasts a minute or 3.5
 * times the longest RTO, 7 minutes: of a connection that is here long after, the event that would
 * have taken it out was missed.
 * Before close(), CLOSE may last as long as the process likes.
 */
static long sweep_one(void *map, void *key, struct connection *connection,
		      struct leftovers_context *context)
{
	__u64 cookie = connection->record.cookie;

	if (!place_has_connection(cookie))
		return 0;
	if (end_lost_stay(cookie, connection) || !connection->left_at ||
	    !(connection->record.flags & CLOSE_CALLED || connection->outlived) ||
	    connection->left_at + context->stale_ns > context->now)
		return 0;
	if (connection->record.end == CLOSE_END_OPEN)
		connection->record.end = CLOSE_END_UNKNOWN;
	connection->record.flags |= CLOSE_INCOMPLETE;
	emit(cookie, connection);
	return 0;
}

static int handle_leftovers(__u64 min_age_ns, __u64 stale_ns)
{
	struct leftovers_context context = {
		.min_age_ns = min_age_ns,
		.stale_ns = stale_ns,
		.now = bpf_ktime_get_ns(),
	};

	bpf_for_each_map_elem(&undecided, decide_one, &context, 0);
	if (!stale_ns)
		return 0;
	if (times_system_calls)
		handle_settle_calls();
	bpf_for_each_map_elem(&places, sweep_one, &context, 0);
	bpf_for_each_map_elem(&connections, sweep_one, &context, 0);
	return 0;
}

#endif
