/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One record per TCP connection: how it was closed, and how it ended. Tracepoints only.
 *
 * A connection is followed from ESTABLISHED on, under its socket cookie: unlike the address of the
 * socket, the cookie is never used twice. Its record leaves for user space when the last of its
 * holders lets go:
 *   - the socket, from ESTABLISHED to tcp_destroy_sock;
 *   - the close() call that is under way, until it returns;
 *   - the mini-socket that takes the socket's place in FIN_WAIT_2 (mini_socket.h);
 *   - the doubt about an RST, since the kernel may report the socket's destruction before the RST
 *     that was the reason (see undecided).
 */
#include "connections.h"
#include "close_calls.h"
#include "mini_socket.h"
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "GPL";

static bool is_done(const struct sock *sk)
{
	return sk->__sk_common.skc_flags >> bpf_core_enum_value(enum sock_flags, SOCK_DONE) & 1;
}

static __u64 unread_bytes(const struct sock *sk)
{
	const struct tcp_sock *tcp = (const struct tcp_sock *)sk;
	__u32 bytes = BPF_CORE_READ(tcp, rcv_nxt) - BPF_CORE_READ(tcp, copied_seq);

	/* The peer's FIN takes a sequence number; it is read last. */
	return bytes && is_done(sk) ? bytes - 1 : bytes;
}

static __u64 unacked_bytes(const struct sock *sk, const struct close_record *record)
{
	const struct tcp_sock *tcp = (const struct tcp_sock *)sk;
	__u32 bytes = BPF_CORE_READ(tcp, write_seq) - BPF_CORE_READ(tcp, snd_una);

	/* So does our own, the last to be acknowledged. */
	return bytes && record->flags & CLOSE_FIN_SENT ? bytes - 1 : bytes;
}

/* Whether the last reference to the socket's file is gone. A socket of the kernel's has none. */
static bool is_file_released(const struct sock *sk)
{
	const struct file *file = BPF_CORE_READ(sk, sk_socket, file);

	if (!file)
		return false;
	if (bpf_core_field_exists(file->f_ref))
		return BPF_CORE_READ(file, f_ref.refcnt.counter) < 0;
	return !BPF_CORE_READ((const struct file___before_6_13 *)file, f_count.counter);
}

/*
 * Whether the current process is in the last close(), or in the exit or other call that does its
 * work. It holds the socket's lock, but so does a recv() or setsockopt() that finds the peer's FIN
 * or RST in the backlog, a shutdown(), or whoever destroys the socket of another. Its system call
 * says nothing: the work may be put off to the end of any. But all others refer to the file.
 */
static bool is_close_call(const struct sock *sk)
{
	return sk->sk_lock.owned && is_file_released(sk);
}

static void note_close(const struct sock *sk, struct connection *connection, __u64 now)
{
	struct close_record *record = &connection->record;
	__u64 thread = bpf_get_current_pid_tgid();
	__u32 thread_id = thread;
	struct close_call *call;

	record->flags |= CLOSE_CALLED;
	record->closed_ns = now;
	record->closer_pid = thread >> 32;
	bpf_get_current_comm(record->closer_comm, sizeof(record->closer_comm));
	record->unread_bytes = unread_bytes(sk);
	if (record->unacked_bytes == CLOSE_TRACE_UNKNOWN)
		record->unacked_bytes = unacked_bytes(sk, record);
	call = bpf_map_lookup_elem(&close_calls, &thread_id);
	if (call && call->cookie == record->cookie) {
		record->closed_ns = call->entered_ns;
		call->joined = true;
		hold(connection);
	}
}

/* An RST that is reported later overrides the answer. */
static enum close_end guess_end(const struct sock *sk, const struct close_record *record, int from)
{
	const struct tcp_sock *tcp = (const struct tcp_sock *)sk;

	if (record->flags & CLOSE_RESET_SENT)
		return CLOSE_END_RESET_SENT;
	if (record->flags & CLOSE_RESET_RECEIVED)
		return CLOSE_END_RESET_RECEIVED;
	if (from != TCP_FIN_WAIT2 && from != TCP_CLOSING && from != TCP_LAST_ACK)
		return CLOSE_END_ABORTED;
	if (is_done(sk) && BPF_CORE_READ(tcp, snd_una) == BPF_CORE_READ(tcp, write_seq))
		return CLOSE_END_FIN;
	/* FIN_WAIT_2 goes on in a mini-socket that is not followed, or there was no room for one.
	 */
	return from == TCP_FIN_WAIT2 ? CLOSE_END_UNKNOWN : CLOSE_END_ABORTED;
}

static void note_end(const struct sock *sk, struct connection *connection, int from, __u64 now)
{
	struct close_record *record = &connection->record;

	connection->left_at = now;
	if (record->unacked_bytes == CLOSE_TRACE_UNKNOWN)
		record->unacked_bytes = unacked_bytes(sk, record);
	if (connection->was_mini)
		return;
	record->end = guess_end(sk, record, from);
	if (record->end == CLOSE_END_UNKNOWN)
		return;
	record->ended_ns = now;
	end_fin_wait_2(connection, now);
}

static int handle_state(struct sock *sk, int from, int to)
{
	struct connection *connection;
	__u64 cookie, now;

	if (!is_watched(sk))
		return 0;
	now = bpf_ktime_get_ns();
	if (to == TCP_ESTABLISHED)
		return follow(sk, now);
	connection = find(sk, &cookie);
	if (!connection)
		return 0;

	if (connection->state != from) { /* an event was missed: measure nothing from it on */
		connection->fin_wait_1_at = connection->fin_wait_2_at = 0;
		connection->record.flags |= CLOSE_FIN_WAIT_2;
		__sync_fetch_and_add(&missed_states, 1);
	}
	connection->state = to;
	if (!(connection->record.flags & CLOSE_CALLED) && is_close_call(sk))
		note_close(sk, connection, now);
	if (from == TCP_FIN_WAIT2 || to == TCP_FIN_WAIT2)
		connection->record.flags |= CLOSE_FIN_WAIT_2;
	if (from == to)
		return 0;

	if (from == TCP_FIN_WAIT1 && connection->fin_wait_1_at)
		connection->record.fin_wait_1_ns = now - connection->fin_wait_1_at;
	if (to == TCP_FIN_WAIT1)
		connection->fin_wait_1_at = now;
	if (to == TCP_FIN_WAIT2)
		connection->fin_wait_2_at = now;
	if (to == TCP_CLOSE)
		note_end(sk, connection, from, now);
	if (to == TCP_FIN_WAIT1 || to == TCP_LAST_ACK)
		connection->record.flags |= CLOSE_FIN_SENT;
	return 0;
}

/*
 * Data that arrive after close() make the kernel report tcp_receive_reset, the end, the destruction
 * and only then the RST that it sends itself, all within the handling of one packet.
 */
static bool may_report_reset(const struct connection *connection)
{
	const struct close_record *record = &connection->record;

	if (connection->was_mini || record->flags & CLOSE_RESET_SENT)
		return false;
	return record->flags & CLOSE_RESET_RECEIVED || record->end == CLOSE_END_UNKNOWN;
}

static int handle_destroy(struct sock *sk)
{
	struct connection *connection;
	__u64 cookie, now;

	if (!is_watched(sk))
		return 0;
	connection = find(sk, &cookie);
	if (!connection)
		return 0;
	now = bpf_ktime_get_ns();
	/* A connection that ended before its close(): only the closer holds the lock now. */
	if (!(connection->record.flags & CLOSE_CALLED) && sk->sk_lock.owned)
		note_close(sk, connection, now);
	if (connection->record.end == CLOSE_END_OPEN && !connection->was_mini)
		connection->record.end = CLOSE_END_UNKNOWN; /* its last event was missed */
	if (may_report_reset(connection)) {
		if (!bpf_map_update_elem(&undecided, &cookie, &now, BPF_ANY))
			return 0;
		connection->record.end = CLOSE_END_UNKNOWN;
	}
	release(cookie, connection);
	return 0;
}

static int handle_receive_reset(struct sock *sk)
{
	struct connection *connection;
	__u64 cookie;

	if (!is_watched(sk))
		return 0;
	connection = find(sk, &cookie);
	if (connection)
		connection->record.flags |= CLOSE_RESET_RECEIVED;
	return 0;
}

static int handle_send_reset(struct sock *sk)
{
	struct connection *connection;
	struct close_record *record;
	__u64 cookie;

	if (!sk)
		return 0;
	if (sk->__sk_common.skc_state == TCP_TIME_WAIT)
		return handle_mini_send_reset((struct inet_timewait_sock *)sk);
	connection = find(sk, &cookie);
	if (!connection)
		return 0;
	record = &connection->record;
	record->flags |= CLOSE_RESET_SENT;
	if (record->end == CLOSE_END_OPEN)
		return 0;
	if (record->end == CLOSE_END_UNKNOWN && connection->left_at) {
		record->ended_ns = connection->left_at;
		end_fin_wait_2(connection, connection->left_at);
	}
	record->end = CLOSE_END_RESET_SENT;
	if (!bpf_map_delete_elem(&undecided, &cookie))
		release(cookie, connection);
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
int BPF_PROG(on_send_reset, struct sock *sk)
{
	return handle_send_reset(sk);
}

SEC("tp_btf/sys_enter")
int BPF_PROG(on_syscall_enter, struct pt_regs *regs, long number)
{
	return number == NR_CLOSE ? handle_close_enter(regs) : 0;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(on_syscall_exit, struct pt_regs *regs)
{
	return SYSCALL_NUMBER(regs) == NR_CLOSE ? handle_close_exit() : 0;
}

/* These four are loaded only where all of them can be. */
SEC("tp_btf/timer_start")
int BPF_PROG(on_timer_start, struct timer_list *timer)
{
	return handle_timer_start(timer);
}

SEC("tp_btf/timer_expire_entry")
int BPF_PROG(on_timer_expire, struct timer_list *timer)
{
	return handle_timer_expire(timer);
}

SEC("tp_btf/timer_cancel")
int BPF_PROG(on_timer_cancel, struct timer_list *timer)
{
	return handle_timer_cancel(timer);
}

SEC("tp_btf/kfree_skb")
int BPF_PROG(on_drop, struct sk_buff *skb, void *location, int reason, struct sock *sk)
{
	return handle_drop(skb, sk);
}

struct decide_context {
	__u64 min_age_ns;
	__u64 stale_ns;
	__u64 now;
};

static long decide_one(void *map, __u64 *key, __u64 *since, struct decide_context *context)
{
	struct connection *connection;
	__u64 cookie = *key;

	if (*since + context->min_age_ns > context->now) /* it may be younger than now */
		return 0;
	/* Who deletes the entry has the hold on the connection. */
	if (bpf_map_delete_elem(&undecided, &cookie))
		return 0;
	connection = bpf_map_lookup_elem(&connections, &cookie);
	if (connection)
		release(cookie, connection);
	return 0;
}

/*
 * After close(), a socket in CLOSE is destroyed at once, and a mini-socket lasts a minute or 3.5
 * times the longest RTO, 7 minutes: of a connection that is here long after, the event that would
 * have taken it out was missed.
 * Before close(), CLOSE may last as long as the process likes.
 */
static long sweep_one(void *map, __u64 *key, struct connection *connection,
		      struct decide_context *context)
{
	__u64 cookie = *key;

	if (!connection->left_at || !(connection->record.flags & CLOSE_CALLED) ||
	    connection->left_at + context->stale_ns > context->now)
		return 0;
	if (connection->record.end == CLOSE_END_OPEN)
		connection->record.end = CLOSE_END_UNKNOWN;
	emit(cookie, connection);
	return 0;
}

/*
 * Run by user space: no RST came for the sockets that were destroyed long enough ago. From time to
 * time, with a stale_ns that is not 0, also takes out the connections that no event will.
 */
SEC("syscall")
int decide(struct {
	__u64 min_age_ns;
	__u64 stale_ns;
} * arguments)
{
	struct decide_context context = {
		.min_age_ns = arguments->min_age_ns,
		.stale_ns = arguments->stale_ns,
		.now = bpf_ktime_get_ns(),
	};

	bpf_for_each_map_elem(&undecided, decide_one, &context, 0);
	if (context.stale_ns)
		bpf_for_each_map_elem(&connections, sweep_one, &context, 0);
	return 0;
}
