/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How a connection ended. The kernel may tell of an RST after it has told of the socket's destruction:
 * until then the end is in doubt. Part of close_trace.bpf.c.
 */
#ifndef ENDS_H
#define ENDS_H

#include "callers.h"
#include "mini_socket.h"

const volatile bool follows_mini_sockets;
const volatile bool has_reset_reason; /* tcp_send_reset has a third argument, Linux 6.10 */

/* Set by user space: the events of ends are about to go. */
bool ending;

/* RSTs that were sent for no connection that is followed. */
__u64 stray_resets;

/* An RST that is reported later overrides the answer. */
static enum close_end guess_end(const struct sock *sk, const struct sequence *sequence,
				const struct close_record *record, int from)
{
	if (record->flags & CLOSE_RESET_SENT)
		return CLOSE_END_RESET_SENT;
	if (record->flags & CLOSE_RESET_RECEIVED)
		return CLOSE_END_RESET_RECEIVED;
	if (from != TCP_FIN_WAIT2 && from != TCP_CLOSING && from != TCP_LAST_ACK)
		return CLOSE_END_ABORTED;
	if (is_done(sk) && sequence->snd_una == sequence->write_seq)
		return CLOSE_END_FIN;
	/* FIN_WAIT_2 goes on in a mini-socket that is not followed, or there was no room for one. */
	return from == TCP_FIN_WAIT2 ? CLOSE_END_UNKNOWN : CLOSE_END_ABORTED;
}

/* The full socket reached CLOSE. */
static void note_end(struct sock *sk, struct connection *connection, int from, __u64 now)
{
	struct close_record *record = &connection->record;
	struct sequence sequence = sequence_of(sk);

	connection->left_at = now;
	if (record->unacked_bytes == CLOSE_TRACE_UNKNOWN)
		record->unacked_bytes = unacked_bytes(&sequence, record);
	if (connection->outlived)
		return;
	record->end = guess_end(sk, &sequence, record, from);
	if (follows_mini_sockets && !connection->had_mini &&
	    (record->end == CLOSE_END_UNKNOWN ||
	     (record->end == CLOSE_END_FIN && from != TCP_LAST_ACK)))
		record->flags |= CLOSE_TIME_WAIT_OVERFLOW;
	if (record->end == CLOSE_END_UNKNOWN)
		return;
	record->ended_ns = now;
	end_fin_wait_2(connection, now);
}

/* The doubt is over, and no RST came. */
static void decide_end(struct connection *connection)
{
	struct close_record *record = &connection->record;

	if (record->end != CLOSE_END_UNKNOWN || !(record->flags & CLOSE_TIME_WAIT_OVERFLOW))
		return;
	record->end = CLOSE_END_ABORTED;
	record->ended_ns = connection->left_at;
	end_fin_wait_2(connection, connection->left_at);
}

/*
 * Data that arrive after close() make the kernel report tcp_receive_reset, the end, the destruction
 * and only then the RST that it sends itself, all within the handling of one packet.
 */
static bool may_report_reset(const struct connection *connection)
{
	const struct close_record *record = &connection->record;

	if (connection->had_mini || record->flags & CLOSE_RESET_SENT)
		return false;
	return record->flags & CLOSE_RESET_RECEIVED || record->end == CLOSE_END_UNKNOWN;
}

static int handle_destroy(struct sock *sk)
{
	struct connection *connection;
	__u64 cookie;

	connection = find(sk, &cookie);
	if (!connection)
		return 0;
	/* It was open when the trace ended. */
	if (ending && connection->record.end == CLOSE_END_OPEN && !connection->outlived)
		return 0;
	/* A connection that ended before its close(): only the closer holds the lock now. */
	if (!(connection->record.flags & CLOSE_CALLED) && sk->sk_lock.owned)
		note_close(sk, connection, bpf_ktime_get_ns());
	if (connection->record.end == CLOSE_END_OPEN && !connection->outlived) {
		connection->record.end = CLOSE_END_UNKNOWN; /* its last event was missed */
		connection->record.flags |= CLOSE_INCOMPLETE;
	}
	if (connection->mini == MINI_OVERTOOK && !ending)
		connection->record.flags |= CLOSE_INCOMPLETE;
	if (may_report_reset(connection) && doubt(cookie, connection, bpf_ktime_get_ns()))
		return 0;
	release(cookie, connection);
	return 0;
}

static int handle_receive_reset(struct sock *sk)
{
	struct connection *connection;
	__u64 cookie;

	connection = find(sk, &cookie);
	if (connection)
		connection->record.flags |= CLOSE_RESET_RECEIVED;
	return 0;
}

/* There is no socket or none that says whose it is: the packet that is answered does. */
static void count_stray_reset(const struct sk_buff *skb)
{
	__u16 port = 0;

	if (!skb)
		return;
	bpf_probe_read_kernel(&port, sizeof(port),
			      BPF_CORE_READ(skb, head) + BPF_CORE_READ(skb, transport_header) +
				      TCP_DESTINATION_OFFSET);
	if (!is_watched_port(bpf_ntohs(port)) ||
	    (watched_netns && BPF_CORE_READ(skb, dev, nd_net.net, ns.inum) != watched_netns))
		return;
	__sync_fetch_and_add(&stray_resets, 1);
}

static int handle_full_send_reset(__u64 cookie, struct connection *connection, __u32 reason)
{
	struct close_record *record = &connection->record;

	record->flags |= CLOSE_RESET_SENT;
	record->flags &= ~CLOSE_TIME_WAIT_OVERFLOW;
	record->reset_reason = reason;
	if (record->end == CLOSE_END_OPEN)
		return 0;
	if (record->end == CLOSE_END_UNKNOWN && connection->left_at) {
		record->ended_ns = connection->left_at;
		end_fin_wait_2(connection, connection->left_at);
	}
	record->end = CLOSE_END_RESET_SENT;
	if (end_doubt(cookie))
		release(cookie, connection);
	return 0;
}

static int handle_send_reset(const struct sock *sk, const struct sk_buff *skb, __u32 reason)
{
	struct connection *connection;
	__u64 cookie;

	if (sk && sk->__sk_common.skc_state == TCP_TIME_WAIT) {
		if (handle_mini_send_reset((struct inet_timewait_sock *)sk, reason))
			return 0;
	} else if (sk) {
		connection = find(sk, &cookie);
		if (connection)
			return handle_full_send_reset(cookie, connection, reason);
	}
	count_stray_reset(skb);
	return 0;
}

#endif
