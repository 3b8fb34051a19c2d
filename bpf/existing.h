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
static bool is_to_be_followed(const struct sock_common *sk)
{
	switch (sk->skc_state) {
	case TCP_TIME_WAIT:
		return follows_mini_sockets && !watched_cgroup &&
		       substate((const struct inet_timewait_sock *)sk) == TCP_FIN_WAIT2;
	case TCP_ESTABLISHED:
	case TCP_FIN_WAIT1:
	case TCP_FIN_WAIT2:
	case TCP_CLOSING:
	case TCP_CLOSE_WAIT:
	case TCP_LAST_ACK:
		return !watched_cgroup || is_in_watched_cgroup((const struct sock *)sk);
	default:
		return false;
	}
}

static void set_state(struct connection *connection, const struct sock_common *sk)
{
	struct close_record *record = &connection->record;

	record->state = connection->state = sk->skc_state;
	switch (sk->skc_state) {
	case TCP_TIME_WAIT:
		set_mini(connection);
		/* fall through */
	case TCP_FIN_WAIT2:
		record->flags |= CLOSE_FIN_WAIT_2;
		/* fall through */
	case TCP_FIN_WAIT1:
	case TCP_CLOSING:
	case TCP_LAST_ACK:
		record->flags |= CLOSE_FIN_SENT;
	}
}

/* The socket's lock, or that of the table of sockets, keeps its events away meanwhile. */
static int handle_existing(struct sock_common *sk)
{
	struct connection *connection;
	__u64 cookie;

	if (!sk || !is_watched(sk) || !is_to_be_followed(sk))
		return 0;
	cookie = bpf_get_socket_cookie(sk);
	if (lookup(cookie))
		return 0;
	connection = follow(sk, cookie);
	if (!connection)
		return 0;
	connection->record.flags = CLOSE_SEEDED;
	set_state(connection, sk);
	publish(connection, cookie);
	return 0;
}

#endif
