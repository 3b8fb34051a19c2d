/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One record per TCP connection: how it was closed, and how it ended. Tracepoints only.
 *
 * A connection is followed from ESTABLISHED on, under its socket cookie: unlike the address of the
 * socket, the cookie is never used twice. Its record leaves for user space when the last of its
 * holders lets go:
 *   - the socket, from ESTABLISHED to tcp_destroy_sock;
 *   - the close() call that is under way, until it returns;
 *   - the doubt about an RST, since the kernel may report the socket's destruction before the RST
 *     that was the reason (see undecided).
 */
#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_tracing.h>
#include "close_trace.h"

char LICENSE[] SEC("license") = "GPL";

const volatile bool all_ports = true;
const volatile __u8 watched_ports[65536 / 8]; /* a bit per local port */
const volatile __u64 wakeup_bytes = 64 * 1024;

/* Read by user space through the mapped section. */
__u64 lost_ring_full;
__u64 lost_map_full;

struct connection {
	struct close_record record; /* first: user space reads what is left in the table */
	__u64 fin_wait_1_at;	    /* 0: not entered, or the moment was missed */
	__u64 fin_wait_2_at;
	__u32 holders;
	__u8 state; /* as of the last event seen */
};

/* A close() that is under way on a followed connection, by thread. */
struct close_call {
	__u64 cookie;
	__u64 entered_ns;
	bool joined; /* it was the last close(): the call holds the connection */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, __u64);
	__type(value, struct connection);
} connections SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8192);
	__type(key, __u32);
	__type(value, struct close_call);
} close_calls SEC(".maps");

/* Destroyed sockets whose RST, if any, has yet to be reported; value: since when. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, __u64);
} undecided SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1024 * 1024);
} records SEC(".maps");

static bool is_watched(const struct sock *sk)
{
	/* Not skc_num: it is 0 once the socket is unhashed. */
	__u16 port = bpf_ntohs(BPF_CORE_READ((const struct inet_sock *)sk, inet_sport));

	return all_ports || watched_ports[port / 8] & 1 << port % 8;
}

/* Only a followed connection is sure to have a cookie; the others must not be given one. */
static struct connection *find(const struct sock *sk, __u64 *ret_cookie)
{
	*ret_cookie = sk->__sk_common.skc_cookie.counter;
	return *ret_cookie ? bpf_map_lookup_elem(&connections, ret_cookie) : NULL;
}

/* Whoever takes the connection out of the table owns it: no record is written twice. */
static void emit(__u64 cookie, struct connection *connection)
{
	struct close_record *record = bpf_ringbuf_reserve(&records, sizeof(*record), 0);
	__u64 flags = BPF_RB_NO_WAKEUP;

	if (!record) {
		if (!bpf_map_delete_elem(&connections, &cookie))
			__sync_fetch_and_add(&lost_ring_full, 1);
		return;
	}
	*record = connection->record;
	if (bpf_map_delete_elem(&connections, &cookie)) {
		bpf_ringbuf_discard(record, BPF_RB_NO_WAKEUP);
		return;
	}
	if (bpf_ringbuf_query(&records, BPF_RB_AVAIL_DATA) >= wakeup_bytes)
		flags = BPF_RB_FORCE_WAKEUP;
	bpf_ringbuf_submit(record, flags);
}

static void hold(struct connection *connection)
{
	__sync_fetch_and_add(&connection->holders, 1);
}

static void release(__u64 cookie, struct connection *connection)
{
	if (__sync_fetch_and_add(&connection->holders, -1) == 1)
		emit(cookie, connection);
}

static void describe(struct close_record *record, const struct sock *sk)
{
	record->netns = sk->__sk_common.skc_net.net->ns.inum;
	record->family = sk->__sk_common.skc_family;
	record->lport = bpf_ntohs(BPF_CORE_READ((const struct inet_sock *)sk, inet_sport));
	record->rport = bpf_ntohs(sk->__sk_common.skc_dport);
	if (record->family == AF_INET) {
		bpf_core_read(record->laddr, 4, &sk->__sk_common.skc_rcv_saddr);
		bpf_core_read(record->raddr, 4, &sk->__sk_common.skc_daddr);
	} else if (bpf_core_field_exists(sk->__sk_common.skc_v6_daddr)) {
		bpf_core_read(record->laddr, 16, &sk->__sk_common.skc_v6_rcv_saddr);
		bpf_core_read(record->raddr, 16, &sk->__sk_common.skc_v6_daddr);
	}
}

static int follow(struct sock *sk, __u64 now)
{
	struct connection connection = {};
	struct close_record *record = &connection.record;
	__u64 cookie = bpf_get_socket_cookie(sk);
	struct connection *former = bpf_map_lookup_elem(&connections, &cookie);

	if (former) /* connect(), disconnect, connect() on one socket */
		emit(cookie, former);
	record->cookie = cookie;
	record->established_ns = now;
	record->ended_ns = record->closed_ns = record->close_call_ns = CLOSE_TRACE_UNKNOWN;
	record->fin_wait_1_ns = record->fin_wait_2_ns = record->orphan_ns = CLOSE_TRACE_UNKNOWN;
	record->time_wait_ns = CLOSE_TRACE_UNKNOWN;
	record->unread_bytes = record->unacked_bytes = CLOSE_TRACE_UNKNOWN;
	record->end = CLOSE_END_OPEN;
	describe(record, sk);
	connection.state = TCP_ESTABLISHED;
	connection.holders = 1;
	if (bpf_map_update_elem(&connections, &cookie, &connection, BPF_ANY))
		__sync_fetch_and_add(&lost_map_full, 1);
	return 0;
}

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

static bool is_in_shutdown_call(void)
{
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(bpf_get_current_task_btf());

	return SYSCALL_NUMBER(regs) == NR_SHUTDOWN;
}

/*
 * Whether this change of state is the work of the last close(), that is, of the current process.
 * close() in a state that it need not change reports the state as its own successor. Otherwise
 * it holds the socket's lock with both directions shut, as does shutdown(SHUT_RDWR).
 */
static bool is_close_call(const struct sock *sk, const struct connection *connection, int old,
			  int new)
{
	if (old == new)
		return true;
	if (new != TCP_FIN_WAIT1 &&new != TCP_LAST_ACK &&new != TCP_CLOSE)
		return false;
	if (!sk->sk_lock.owned || sk->sk_shutdown != SHUTDOWN_MASK)
		return false;
	if (connection->record.flags & (CLOSE_RESET_SENT | CLOSE_RESET_RECEIVED))
		return false;
	return !is_in_shutdown_call();
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

static void end_fin_wait_2(struct connection *connection, __u64 now)
{
	struct close_record *record = &connection->record;

	if (!connection->fin_wait_2_at)
		return;
	record->fin_wait_2_ns = now - connection->fin_wait_2_at;
	record->orphan_ns = 0;
	if (record->flags & CLOSE_CALLED) {
		__u64 orphaned_at = record->closed_ns > connection->fin_wait_2_at
					    ? record->closed_ns
					    : connection->fin_wait_2_at;

		record->orphan_ns = now - orphaned_at;
	}
}

/* An RST that is reported later overrides the answer. */
static enum close_end guess_end(const struct sock *sk, const struct close_record *record, int old)
{
	const struct tcp_sock *tcp = (const struct tcp_sock *)sk;

	if (record->flags & CLOSE_RESET_SENT)
		return CLOSE_END_RESET_SENT;
	if (record->flags & CLOSE_RESET_RECEIVED)
		return CLOSE_END_RESET_RECEIVED;
	if (old != TCP_FIN_WAIT2 && old != TCP_CLOSING && old != TCP_LAST_ACK)
		return CLOSE_END_ABORTED;
	if (is_done(sk) && BPF_CORE_READ(tcp, snd_una) == BPF_CORE_READ(tcp, write_seq))
		return CLOSE_END_FIN;
	/* FIN_WAIT_2 goes on in a mini-socket, out of our sight. */
	return old == TCP_FIN_WAIT2 ? CLOSE_END_UNKNOWN : CLOSE_END_ABORTED;
}

static void note_end(const struct sock *sk, struct connection *connection, int old, __u64 now)
{
	struct close_record *record = &connection->record;

	record->ended_ns = now;
	if (record->unacked_bytes == CLOSE_TRACE_UNKNOWN)
		record->unacked_bytes = unacked_bytes(sk, record);
	record->end = guess_end(sk, record, old);
	if (record->end != CLOSE_END_UNKNOWN)
		end_fin_wait_2(connection, now);
}

static int handle_state(struct sock *sk, int old, int new)
{
	struct connection *connection;
	__u64 cookie, now;

	if (!is_watched(sk))
		return 0;
	now = bpf_ktime_get_ns();
	if (new == TCP_ESTABLISHED)
		return follow(sk, now);
	connection = find(sk, &cookie);
	if (!connection)
		return 0;

	if (connection->state != old) /* an event was missed: measure nothing from it on */
		connection->fin_wait_1_at = connection->fin_wait_2_at = 0;
	connection->state = new;
	if (!(connection->record.flags & CLOSE_CALLED) && is_close_call(sk, connection, old, new))
		note_close(sk, connection, now);
	if (old == new)
		return 0;

	if (old == TCP_FIN_WAIT1 && connection->fin_wait_1_at)
		connection->record.fin_wait_1_ns = now - connection->fin_wait_1_at;
	if (new == TCP_FIN_WAIT1)
		connection->fin_wait_1_at = now;
	if (new == TCP_FIN_WAIT2)
		connection->fin_wait_2_at = now;
	if (new == TCP_CLOSE)
		note_end(sk, connection, old, now);
	if (new == TCP_FIN_WAIT1 || new == TCP_LAST_ACK)
		connection->record.flags |= CLOSE_FIN_SENT;
	return 0;
}

/*
 * Data that arrive after close() make the kernel report tcp_receive_reset, the end, the destruction
 * and only then the RST that it sends itself, all within the handling of one packet.
 */
static bool may_report_reset(const struct close_record *record)
{
	if (record->flags & CLOSE_RESET_SENT)
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
	if (connection->record.end == CLOSE_END_OPEN) /* its last event was missed */
		connection->record.end = CLOSE_END_UNKNOWN;
	if (may_report_reset(&connection->record)) {
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

	/* A mini-socket has the cookie too, but what became of it is not what ended sk. */
	if (!sk || sk->__sk_common.skc_state == TCP_TIME_WAIT)
		return 0;
	connection = find(sk, &cookie);
	if (!connection)
		return 0;
	record = &connection->record;
	record->flags |= CLOSE_RESET_SENT;
	if (record->end == CLOSE_END_OPEN)
		return 0;
	if (record->end == CLOSE_END_UNKNOWN && record->ended_ns != CLOSE_TRACE_UNKNOWN)
		end_fin_wait_2(connection, record->ended_ns);
	record->end = CLOSE_END_RESET_SENT;
	if (!bpf_map_delete_elem(&undecided, &cookie))
		release(cookie, connection);
	return 0;
}

/* The cookie of the followed connection behind a descriptor of the current process, or 0. */
static __u64 followed_cookie(__u32 fd)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task_btf();
	struct fdtable *table = BPF_CORE_READ(task, files, fdt);
	struct socket *socket;
	struct file **slots, *file = NULL;
	__u64 cookie;

	if (fd >= BPF_CORE_READ(table, max_fds))
		return 0;
	slots = BPF_CORE_READ(table, fd);
	bpf_probe_read_kernel(&file, sizeof(file), slots + fd);
	if (!file || (BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT) != S_IFSOCK)
		return 0;
	socket = BPF_CORE_READ(file, private_data);
	cookie = BPF_CORE_READ(socket, sk, __sk_common.skc_cookie.counter);
	return cookie && bpf_map_lookup_elem(&connections, &cookie) ? cookie : 0;
}

static int handle_close_enter(struct pt_regs *regs)
{
	struct close_call call = {};
	__u32 thread_id = bpf_get_current_pid_tgid();

	call.cookie = followed_cookie(SYSCALL_ARGUMENT(regs));
	if (!call.cookie)
		return 0;
	call.entered_ns = bpf_ktime_get_ns();
	/* When the table is full, how long the call took stays unknown. */
	bpf_map_update_elem(&close_calls, &thread_id, &call, BPF_ANY);
	return 0;
}

static int handle_close_exit(void)
{
	__u32 thread_id = bpf_get_current_pid_tgid();
	struct close_call *call = bpf_map_lookup_elem(&close_calls, &thread_id);
	struct connection *connection;
	__u64 cookie;

	if (!call)
		return 0;
	cookie = call->cookie;
	connection = call->joined ? bpf_map_lookup_elem(&connections, &cookie) : NULL;
	if (connection) {
		connection->record.close_call_ns = bpf_ktime_get_ns() - call->entered_ns;
		release(cookie, connection);
	}
	bpf_map_delete_elem(&close_calls, &thread_id);
	return 0;
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(on_state, struct sock *sk, int old, int new)
{
	return handle_state(sk, old, new);
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

struct decide_context {
	__u64 min_age_ns;
	__u64 now;
};

static long decide_one(void *map, __u64 *key, __u64 *since, struct decide_context *context)
{
	struct connection *connection;
	__u64 cookie = *key;

	if (context->now - *since < context->min_age_ns)
		return 0;
	/* Who deletes the entry has the hold on the connection. */
	if (bpf_map_delete_elem(&undecided, &cookie))
		return 0;
	connection = bpf_map_lookup_elem(&connections, &cookie);
	if (connection)
		release(cookie, connection);
	return 0;
}

/* Run by user space: no RST came for the sockets that were destroyed long enough ago. */
SEC("syscall")
int decide(struct { __u64 min_age_ns; } * arguments)
{
	struct decide_context context = {
		.min_age_ns = arguments->min_age_ns,
		.now = bpf_ktime_get_ns(),
	};

	bpf_for_each_map_elem(&undecided, decide_one, &context, 0);
	return 0;
}
