/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Connections that exist when the trace begins, by the iterator over the sockets of a network namespace. It
 * holds the lock of a socket while it shows it. Part of close_trace.bpf.c.
 */
#ifndef EXISTING_H
#define EXISTING_H

#include "mini_socket.h"

static void set_mini(struct connection *connection)
{
	connection->had_mini = connection->outlived = true;
	connection->mini = MINI_FIN_WAIT_2;
	connection->left_at = bpf_ktime_get_ns(); /* or earlier */
	connection->state = TCP_CLOSE;
	connection->record.state = TCP_FIN_WAIT2;
}

/* Whether it is a connection whose end is still to come. */
static bool set_state(struct connection *connection, const struct sock_common *sk)
{
	struct close_record *record = &connection->record;

	record->state = connection->state = sk->skc_state;
	switch (sk->skc_state) {
	case TCP_TIME_WAIT:
		if (!follows_mini_sockets || watched_cgroup ||
		    substate((const struct inet_timewait_sock *)sk) != TCP_FIN_WAIT2)
			return false;
		set_mini(connection);
		record->flags |= CLOSE_FIN_SENT | CLOSE_FIN_WAIT_2;
		return true;
	case TCP_FIN_WAIT2:
		record->flags |= CLOSE_FIN_WAIT_2;
		/* fall through */
	case TCP_FIN_WAIT1:
	case TCP_CLOSING:
	case TCP_LAST_ACK:
		record->flags |= CLOSE_FIN_SENT;
		/* fall through */
	case TCP_ESTABLISHED:
	case TCP_CLOSE_WAIT:
		return !watched_cgroup || is_in_watched_cgroup((const struct sock *)sk);
	default:
		return false;
	}
}

static int handle_existing(struct sock_common *sk)
{
	struct connection connection = {};

	if (!sk || !is_watched(sk))
		return 0;
	connection.record.flags = CLOSE_SEEDED;
	if (!set_state(&connection, sk))
		return 0;
	begin(&connection, sk, bpf_get_socket_cookie(sk));
	follow(&connection, BPF_NOEXIST);
	return 0;
}

#endif
