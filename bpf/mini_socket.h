/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * FIN_WAIT_2 after close(), and TIME_WAIT. The kernel replaces the socket by a timewait mini-socket with the
 * same cookie, whose substate says which of them it is. It has no tracepoints of its own, but a timer, and
 * each packet for it is dropped in the end. Part of close_trace.bpf.c.
 *
 * By tracepoints:
 *   entered:  the full socket goes to CLOSE; whether there is a mini-socket then, the table says (mini_table.h)
 *   FIN:      kfree_skb of the packet, substate TIME_WAIT
 *   RST:      kfree_skb of the packet, and the mini-socket is in the table no more
 *   data:     tcp_send_reset
 *   over:     timer_expire_entry, it ran out. That somebody destroyed it is told by nothing: it is looked for from
 *             time to time (leftovers.h).
 * To follow TIME_WAIT to its end, all that its timer does is looked at:
 *   entered:  timer_start
 *   FIN:      timer_start, substate TIME_WAIT, or else kfree_skb of the packet: the timer starts
 *             anew, but within a bucket of the timer wheel, 2 s at 250 Hz, it does so in silence.
 *   over:     timer_cancel. What follows says why: timer_expire_entry, it ran out; timer_start, it
 *             starts anew; kfree_skb of an RST, the peer; nothing, somebody who destroyed it.
 * A FIN that is missed leaves the duration empty, unless the peer repeats it.
 *
 * By fentry:
 *   entered, and FIN:  __inet_twsk_schedule, which starts the timer, in silence or not
 *   data, RST:         tcp_timewait_state_process
 *   over:              tw_timer_handler, it ran out; inet_twsk_deschedule_put, otherwise
 */
#ifndef MINI_SOCKET_H
#define MINI_SOCKET_H

#include "mini_table.h"
#include "states.h"

const volatile bool follows_time_wait; /* until it is over; its row comes a minute late */
/* When a full socket goes; else something tells of them. */
const volatile bool looks_up_mini_sockets;

extern const void tw_timer_handler __ksym __weak;

static struct inet_timewait_sock *mini_of_timer(struct timer_list *timer)
{
	return (void *)timer - bpf_core_field_offset(struct inet_timewait_sock, tw_timer);
}

static bool is_mini_timer(const struct timer_list *timer)
{
	return &tw_timer_handler && timer->function == &tw_timer_handler;
}

static int substate(const struct inet_timewait_sock *mini)
{
	return BPF_CORE_READ(mini, tw_substate);
}

static struct connection *find_mini(const struct inet_timewait_sock *mini, __u64 *ret_cookie)
{
	*ret_cookie = BPF_CORE_READ(mini, __tw_common.skc_cookie.counter);
	return *ret_cookie ? lookup(*ret_cookie) : NULL;
}

/* Whether the mini-socket held the connection in that stay until now. The caller has the hold then. */
static bool leave_mini(struct connection *connection, enum mini_stay stay)
{
	return __sync_val_compare_and_swap(&connection->mini, stay, NO_MINI) == stay;
}

/*
 * Whether it did so, and no event of the full socket has told of it: a mini-socket is in the kernel's table before
 * that event comes, and may get its last packet from another CPU; or the event was missed. As leave_mini().
 */
static bool overtake(struct connection *connection, __u64 now)
{
	if (!looks_up_mini_sockets || connection->had_mini || connection->state != TCP_FIN_WAIT2)
		return false;
	hold(connection);
	connection->had_mini = connection->outlived = true;
	connection->left_at = now;
	if (__sync_val_compare_and_swap(&connection->mini, NO_MINI, MINI_OVERTOOK) == NO_MINI)
		return true;
	release(connection->record.cookie, connection);
	return leave_mini(connection, MINI_FIN_WAIT_2); /* it has come meanwhile */
}

static bool leave_fin_wait_2(struct connection *connection, enum close_end end)
{
	__u64 now = bpf_ktime_get_ns();

	if (!leave_mini(connection, MINI_FIN_WAIT_2) && !overtake(connection, now))
		return false;
	connection->record.ended_ns = now;
	connection->record.end = end;
	end_fin_wait_2(connection, now);
	return true;
}

/* Takes over the caller's hold. */
static void enter_time_wait(__u64 cookie, struct connection *connection, __u64 now)
{
	connection->record.state = TCP_TIME_WAIT;
	connection->record.state_since_ns = now;
	if (!follows_time_wait) {
		release(cookie, connection);
		return;
	}
	connection->time_wait_at = now;
	__sync_lock_test_and_set(&connection->mini, MINI_TIME_WAIT);
}

static void handle_fin(__u64 cookie, struct connection *connection)
{
	if (leave_fin_wait_2(connection, CLOSE_END_FIN))
		enter_time_wait(cookie, connection, connection->record.ended_ns);
}

/* The event has come; until then it may have been missed (handle_destroy()). */
static void note_overtaken(struct connection *connection)
{
	connection->mini = NO_MINI;
	connection->record.mini_socket_ns = 0;
}

static void enter_fin_wait_2(struct connection *connection, __u64 now)
{
	connection->outlived = true;
	connection->mini_at = now;
	connection->record.flags |= CLOSE_FIN_WAIT_2;
	hold(connection);
	if (__sync_val_compare_and_swap(&connection->mini, NO_MINI, MINI_FIN_WAIT_2) != NO_MINI) {
		note_overtaken(connection); /* at the last moment */
		release(connection->record.cookie, connection);
	}
	connection->had_mini = true;
}

/* The full socket goes; in FIN_WAIT_2: without the peer's FIN. */
static void look_up_mini(struct sock *sk, struct connection *connection, bool in_fin_wait_2,
			 __u64 now)
{
	struct inet_timewait_sock *mini;

	if (connection->mini == MINI_OVERTOOK) {
		note_overtaken(connection);
		return;
	}
	mini = mini_in_place_of(sk);
	if (!mini)
		return;
	if (!in_fin_wait_2) {
		connection->had_mini = true;
		connection->record.state = TCP_TIME_WAIT;
		connection->record.state_since_ns = now;
		return;
	}
	connection->mini_socket = mini;
	enter_fin_wait_2(connection, now);
	/* Another CPU may have had the FIN before the connection was known to be there. */
	if (substate(mini) == TCP_TIME_WAIT)
		handle_fin(connection->record.cookie, connection);
}

static int handle_time_wait_started(__u64 cookie, struct connection *connection)
{
	if (connection->mini == MINI_FIN_WAIT_2) {
		handle_fin(cookie, connection);
	} else if (!connection->had_mini) {
		connection->had_mini = true;
		hold(connection);
		enter_time_wait(cookie, connection, bpf_ktime_get_ns());
	} else if (connection->time_wait_at && !connection->mini && end_doubt(cookie)) {
		/* It starts anew, with each packet that comes. */
		connection->record.time_wait_ns = CLOSE_TRACE_UNKNOWN;
		__sync_lock_test_and_set(&connection->mini, MINI_TIME_WAIT);
	}
	return 0;
}

/* The timer starts or starts anew. */
static int handle_mini_scheduled(struct inet_timewait_sock *mini)
{
	struct connection *connection;
	__u64 cookie;

	connection = find_mini(mini, &cookie);
	if (!connection)
		return 0;
	if (substate(mini) == TCP_TIME_WAIT)
		return handle_time_wait_started(cookie, connection);
	if (connection->had_mini)
		return 0;
	enter_fin_wait_2(connection, bpf_ktime_get_ns());
	return 0;
}

static void end_time_wait(struct connection *connection)
{
	connection->record.time_wait_ns = bpf_ktime_get_ns() - connection->time_wait_at;
}

static int handle_mini_expired(struct inet_timewait_sock *mini)
{
	struct connection *connection;
	__u64 cookie;

	connection = find_mini(mini, &cookie);
	if (!connection)
		return 0;
	if (substate(mini) == TCP_FIN_WAIT2) {
		/* The kernel takes a timer out (timer_cancel) before it lets it expire. */
		if (!end_doubt(cookie) && !leave_fin_wait_2(connection, CLOSE_END_TIMEOUT))
			return 0;
		connection->record.end = CLOSE_END_TIMEOUT;
	} else if (leave_mini(connection, MINI_FIN_WAIT_2)) {
		/* TIME_WAIT is over, and the FIN that began it was missed: when is not known. */
		connection->record.end = CLOSE_END_FIN;
		connection->record.flags |= CLOSE_INCOMPLETE;
	} else if (leave_mini(connection, MINI_TIME_WAIT)) {
		end_time_wait(connection);
	} else if (!end_doubt(cookie)) {
		return 0;
	}
	connection->record.state = TCP_CLOSE;
	release(cookie, connection);
	return 0;
}

/* The timer is taken out; why is told afterwards, if at all. */
static int handle_mini_cancelled(struct inet_timewait_sock *mini)
{
	struct connection *connection;
	__u64 cookie;

	connection = find_mini(mini, &cookie);
	if (!connection)
		return 0;
	if (leave_mini(connection, MINI_TIME_WAIT))
		end_time_wait(connection);
	/* It is already TIME_WAIT when the FIN restarts the timer. */
	else if (substate(mini) != TCP_FIN_WAIT2 ||
		 !leave_fin_wait_2(connection, CLOSE_END_UNKNOWN))
		return 0;
	if (!doubt(cookie, connection, bpf_ktime_get_ns()))
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

/* Whether the packet that has been dealt with ended the stay. The caller has the hold then. */
static bool is_gone(const struct inet_timewait_sock *mini, __u64 cookie,
		    struct connection *connection)
{
	return looks_up_mini_sockets && !is_mini_there(mini, cookie) &&
	       leave_fin_wait_2(connection, CLOSE_END_UNKNOWN);
}

/* A packet has been dealt with. */
static int handle_mini_packet(struct inet_timewait_sock *mini, struct sk_buff *skb)
{
	struct connection *connection;
	__u64 cookie;

	connection = find_mini(mini, &cookie);
	if (!connection)
		return 0;
	if (substate(mini) == TCP_TIME_WAIT) {
		handle_fin(cookie, connection);
	} else if (is_reset(skb) && (end_doubt(cookie) || is_gone(mini, cookie, connection))) {
		connection->record.flags |= CLOSE_RESET_RECEIVED;
		connection->record.end = CLOSE_END_RESET_RECEIVED;
		release(cookie, connection);
	}
	return 0;
}

static int handle_drop(struct sk_buff *skb, struct sock *sk)
{
	if (!sk || sk->__sk_common.skc_state != TCP_TIME_WAIT)
		return 0;
	return handle_mini_packet((struct inet_timewait_sock *)sk, skb);
}

/* The packet was answered with an RST: the tracepoint that gives its reason comes next, from 6.12 on. */
static int handle_mini_refused(struct inet_timewait_sock *mini)
{
	struct connection *connection;
	__u64 cookie;

	connection = find_mini(mini, &cookie);
	if (!connection || !leave_fin_wait_2(connection, CLOSE_END_RESET_SENT))
		return 0;
	connection->record.flags |= CLOSE_RESET_SENT;
	if (!doubt(cookie, connection, bpf_ktime_get_ns()))
		release(cookie, connection);
	return 0;
}

/* Whether it was for a connection that is followed. */
static bool handle_mini_send_reset(struct inet_timewait_sock *mini, __u32 reason)
{
	struct connection *connection;
	__u64 cookie;

	connection = find_mini(mini, &cookie);
	if (!connection)
		return false;
	if (!leave_fin_wait_2(connection, CLOSE_END_RESET_SENT) &&
	    !(connection->record.flags & CLOSE_RESET_SENT && end_doubt(cookie)))
		return false;
	connection->record.flags |= CLOSE_RESET_SENT;
	connection->record.reset_reason = reason;
	release(cookie, connection);
	return true;
}

#endif
