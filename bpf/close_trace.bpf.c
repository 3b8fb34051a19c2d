/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One record per TCP connection: how it was closed, and how it ended.
 *
 * A connection is followed from ESTABLISHED on, under its socket cookie: unlike the address of the
 * socket, the cookie is never used twice. Its record leaves for user space when the last of its
 * holders lets go:
 *   - the socket, from ESTABLISHED to tcp_destroy_sock;
 *   - the close() call that is under way, until it returns (close_calls.h);
 *   - the mini-socket that takes the socket's place (mini_socket.h);
 *   - the doubt about an RST, which the kernel may tell of after the end that it made (ends.h).
 *
 * What happens is told by the tracepoints below. For the calls of close() and the mini-sockets there are two
 * sets of hooks, of which user space loads one: more tracepoints, or fentry, which is not allowed everywhere.
 */
#include "filters.h"
#include "connections.h"
#include "moments.h"
#include "states.h"
#include "close_calls.h"
#include "close_returns.h"
#include "callers.h"
#include "mini_socket.h"
#include "ends.h"
#include "existing.h"
#include "leftovers.h"
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "GPL";

static int handle_established(struct sock *sk, int from)
{
	struct connection *connection;
	__u64 cookie, now;

	if (!is_watched(&sk->__sk_common) || (watched_cgroup && !is_in_watched_cgroup(sk)))
		return 0;
	connection = find(sk, &cookie);
	if (connection) /* connect(), disconnect, connect() on one socket */
		emit(cookie, connection);
	cookie = bpf_get_socket_cookie(sk);
	connection = follow(&sk->__sk_common, cookie);
	if (!connection)
		return 0;
	now = moment_of(sk, from, TCP_ESTABLISHED, 0);
	connection->record.established_ns = connection->record.state_since_ns = now;
	connection->record.flags = from == TCP_SYN_SENT ? CLOSE_CONNECTED : CLOSE_ACCEPTED;
	connection->record.state = connection->state = TCP_ESTABLISHED;
	publish(connection, cookie);
	return 0;
}

static int handle_state(struct sock *sk, int from, int to)
{
	struct connection *connection;
	__u64 cookie, now;

	if (to == TCP_ESTABLISHED)
		return handle_established(sk, from);
	connection = find(sk, &cookie);
	if (!connection)
		return 0;
	now = moment_of(sk, from, to, connection->entered_at);
	if (connection->state != from)
		enter_missed_state(connection, from);
	if (!(connection->record.flags & CLOSE_CALLED) && is_close_call(sk))
		note_close(sk, connection, now);
	if (from == TCP_FIN_WAIT2 || to == TCP_FIN_WAIT2)
		connection->record.flags |= CLOSE_FIN_WAIT_2;
	if (from == to) /* close() in FIN_WAIT_2 */
		return 0;
	if (looks_up_mini_sockets && to == TCP_CLOSE &&
	    (from == TCP_FIN_WAIT2 || from == TCP_CLOSING))
		look_up_mini(sk, connection, from == TCP_FIN_WAIT2 && !is_done(sk), now);
	enter_state(connection, to, now);
	if (to == TCP_FIN_WAIT1 || to == TCP_LAST_ACK)
		note_fin(sk, connection, now);
	if (to == TCP_CLOSE)
		note_end(sk, connection, from, now);
	return 0;
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(on_state, struct sock *sk, int from, int to)
{
	return handle_state(sk, from, to);
}

SEC("tp_btf/tcp_destroy_sock")
int BPF_PROG(on_destroy, struct sock *sk)
{
	return handle_destroy(sk);
}

SEC("tp_btf/tcp_receive_reset")
int BPF_PROG(on_receive_reset, struct sock *sk)
{
	return handle_receive_reset(sk);
}

SEC("tp_btf/tcp_send_reset")
int BPF_PROG(on_send_reset, struct sock *sk, struct sk_buff *skb)
{
	/* Only where there is such an argument: the verifier looks at no branch that is never taken. */
	return handle_send_reset(sk, skb, has_reset_reason ? (__u32)ctx[2] : CLOSE_TRACE_NO_REASON);
}

/* The calls of close(), by the tracepoints of all system calls */

SEC("tp_btf/sys_exit")
int BPF_PROG(tp_syscall_exit, struct pt_regs *regs)
{
	return SYSCALL_NUMBER(regs) == NR_CLOSE ? handle_close_exit() : handle_other_call();
}

/* The calls of close(), by events of close() alone, which its own tracepoints give */

SEC("tracepoint")
int event_close_enter(void *context)
{
	return handle_other_call();
}

SEC("tracepoint")
int event_close_exit(void *context)
{
	return handle_close_exit();
}

/* The mini-sockets, by tracepoints */

SEC("tp_btf/timer_start")
int BPF_PROG(tp_timer_start, struct timer_list *timer)
{
	return is_mini_timer(timer) ? handle_mini_scheduled(mini_of_timer(timer)) : 0;
}

SEC("tp_btf/timer_expire_entry")
int BPF_PROG(tp_timer_expire, struct timer_list *timer)
{
	return is_mini_timer(timer) ? handle_mini_expired(mini_of_timer(timer)) : 0;
}

SEC("tp_btf/timer_cancel")
int BPF_PROG(tp_timer_cancel, struct timer_list *timer)
{
	return is_mini_timer(timer) ? handle_mini_cancelled(mini_of_timer(timer)) : 0;
}

SEC("tp_btf/kfree_skb")
int BPF_PROG(tp_drop, struct sk_buff *skb, void *location, int reason, struct sock *sk)
{
	return handle_drop(skb, sk);
}

/* The calls of close(), by fentry */

SEC("fentry/tcp_close")
int BPF_PROG(fentry_tcp_close, struct sock *sk)
{
	return handle_tcp_close(sk);
}

SEC("fexit/tcp_close")
int BPF_PROG(fexit_tcp_close)
{
	return handle_close_exit();
}

/* The mini-sockets, by fentry */

SEC("fentry/__inet_twsk_schedule")
int BPF_PROG(fentry_mini_schedule, struct inet_timewait_sock *mini)
{
	return handle_mini_scheduled(mini);
}

SEC("fentry/tw_timer_handler")
int BPF_PROG(fentry_mini_expire, struct timer_list *timer)
{
	return handle_mini_expired(mini_of_timer(timer));
}

SEC("fentry/inet_twsk_deschedule_put")
int BPF_PROG(fentry_mini_deschedule, struct inet_timewait_sock *mini)
{
	return handle_mini_cancelled(mini);
}

SEC("fexit/tcp_timewait_state_process")
int BPF_PROG(fexit_mini_packet, struct inet_timewait_sock *mini, struct sk_buff *skb)
{
	__u64 status = 0;

	bpf_get_func_ret(ctx, &status);
	if ((int)status == (int)bpf_core_enum_value(enum tcp_tw_status, TCP_TW_RST))
		return handle_mini_refused(mini);
	return handle_mini_packet(mini, skb);
}

/* Run by user space */

/* A page of the ring, each time the next. */
SEC("syscall")
int touch_ring(void *context)
{
	char *page = bpf_ringbuf_reserve(&records, RING_PAGE - RING_HEADER, 0);

	if (!page)
		return -ENOSPC;
	page[0] = 0;
	bpf_ringbuf_discard(page, BPF_RB_NO_WAKEUP);
	return 0;
}

SEC("iter/tcp")
int existing(struct bpf_iter__tcp *iteration)
{
	return handle_existing(iteration->sk_common);
}

/* After the events of close() were attached or taken off. */
SEC("syscall")
int settle_calls(void *context)
{
	return handle_settle_calls();
}

/*
 * Ends the doubts that are older than min_age_ns. From time to time, with a stale_ns that is not 0, also
 * takes out the connections that no event will.
 */
SEC("syscall")
int leftovers(struct {
	__u64 min_age_ns;
	__u64 stale_ns;
} * arguments)
{
	return handle_leftovers(arguments->min_age_ns, arguments->stale_ns);
}
