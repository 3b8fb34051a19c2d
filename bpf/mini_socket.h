/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * FIN_WAIT_2 after close(). The kernel replaces the socket by a timewait mini-socket with the same
 * cookie, whose substate says FIN_WAIT_2. It has no tracepoints of its own, but a timer, and each
 * packet for it is dropped in the end. Part of close_trace.bpf.c.
 *
 *   entered:  timer_start, substate FIN_WAIT_2
 *   FIN:      timer_start, substate TIME_WAIT, or else kfree_skb of the packet: the timer starts
 *             anew, but within a bucket of the timer wheel, 2 s at 250 Hz, it does so in silence.
 *   data:     tcp_send_reset
 *   over:     timer_cancel, substate FIN_WAIT_2. What follows says why: timer_expire_entry, a
 *             time-out; kfree_skb of an RST, the peer; nothing, somebody who destroyed it.
 *
 * A FIN that both miss leaves the duration empty, unless the peer repeats it.
 */
#ifndef MINI_SOCKET_H
#define MINI_SOCKET_H

#include "connections.h"

extern const void tw_timer_handler __ksym __weak;

/* NULL unless the timer is that of a mini-socket. */
static struct inet_timewait_sock *mini_of_timer(struct timer_list *timer)
{
	if (!&tw_timer_handler || timer->function != &tw_timer_handler)
		return NULL;
	return (void *)timer - bpf_core_field_offset(struct inet_timewait_sock, tw_timer);
}

static int substate(const struct inet_timewait_sock *mini)
{
	return BPF_CORE_READ(mini, tw_substate);
}

static struct connection *find_mini(const struct inet_timewait_sock *mini, __u64 *ret_cookie)
{
	*ret_cookie = BPF_CORE_READ(mini, __tw_common.skc_cookie.counter);
	return *ret_cookie ? bpf_map_lookup_elem(&connections, ret_cookie) : NULL;
}

/* Whether the mini-socket held the connection until now. The caller has the hold then. */
static bool end_mini(struct connection *connection, enum close_end end)
{
	__u64 now = bpf_ktime_get_ns();

	if (!__sync_lock_test_and_set(&connection->mini, 0))
		return false;
	connection->record.ended_ns = now;
	connection->record.end = end;
	end_fin_wait_2(connection, now);
	return true;
}

static int handle_timer_start(struct timer_list *timer)
{
	struct inet_timewait_sock *mini = mini_of_timer(timer);
	struct connection *connection;
	__u64 cookie;

	if (!mini)
		return 0;
	connection = find_mini(mini, &cookie);
	if (!connection)
		return 0;
	if (substate(mini) == TCP_TIME_WAIT) {
		if (end_mini(connection, CLOSE_END_FIN))
			release(cookie, connection);
		return 0;
	}
	if (connection->was_mini)
		return 0;
	connection->was_mini = true;
	connection->record.flags |= CLOSE_FIN_WAIT_2;
	hold(connection);
	__sync_lock_test_and_set(&connection->mini, 1);
	return 0;
}

static int handle_timer_expire(struct timer_list *timer)
{
	struct inet_timewait_sock *mini = mini_of_timer(timer);
	struct connection *connection;
	__u64 cookie;

	if (!mini)
		return 0;
	connection = find_mini(mini, &cookie);
	if (!connection)
		return 0;
	if (substate(mini) == TCP_FIN_WAIT2) {
		/* The kernel takes a timer out (timer_cancel) before it lets it expire. */
		if (bpf_map_delete_elem(&undecided, &cookie) &&
		    !end_mini(connection, CLOSE_END_TIMEOUT))
			return 0;
		connection->record.end = CLOSE_END_TIMEOUT;
		release(cookie, connection);
	} else if (__sync_lock_test_and_set(&connection->mini, 0)) {
		/* TIME_WAIT is over, and the FIN that began it was missed: when is not known. */
		connection->record.end = CLOSE_END_FIN;
		release(cookie, connection);
	}
	return 0;
}

static int handle_timer_cancel(struct timer_list *timer)
{
	struct inet_timewait_sock *mini = mini_of_timer(timer);
	struct connection *connection;
	__u64 cookie, now;

	if (!mini || substate(mini) != TCP_FIN_WAIT2)
		return 0;
	connection = find_mini(mini, &cookie);
	if (!connection || !end_mini(connection, CLOSE_END_UNKNOWN))
		return 0;
	now = bpf_ktime_get_ns();
	if (bpf_map_update_elem(&undecided, &cookie, &now, BPF_ANY))
		release(cookie, connection);
	return 0;
}

static bool is_reset(struct sk_buff *skb)
{
	unsigned char *head = BPF_CORE_READ(skb, head);
	__u16 transport = BPF_CORE_READ(skb, transport_header);
	__u8 flags = 0;

	bpf_probe_read_kernel(&flags, sizeof(flags), head + transport + TCP_FLAGS_OFFSET);
	return flags & TCP_FLAG_RST;
}

static int handle_drop(struct sk_buff *skb, struct sock *sk)
{
	struct inet_timewait_sock *mini = (struct inet_timewait_sock *)sk;
	struct connection *connection;
	__u64 cookie;

	if (!sk || sk->__sk_common.skc_state != TCP_TIME_WAIT)
		return 0;
	connection = find_mini(mini, &cookie);
	if (!connection)
		return 0;
	if (substate(mini) == TCP_TIME_WAIT) {
		if (end_mini(connection, CLOSE_END_FIN))
			release(cookie, connection);
	} else if (is_reset(skb) && !bpf_map_delete_elem(&undecided, &cookie)) {
		connection->record.flags |= CLOSE_RESET_RECEIVED;
		connection->record.end = CLOSE_END_RESET_RECEIVED;
		release(cookie, connection);
	}
	return 0;
}

static int handle_mini_send_reset(struct inet_timewait_sock *mini)
{
	struct connection *connection;
	__u64 cookie;

	connection = substate(mini) == TCP_FIN_WAIT2 ? find_mini(mini, &cookie) : NULL;
	if (!connection || !end_mini(connection, CLOSE_END_RESET_SENT))
		return 0;
	connection->record.flags |= CLOSE_RESET_SENT;
	release(cookie, connection);
	return 0;
}

#endif
