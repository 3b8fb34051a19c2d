/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * shutdown() and the last close() of a connection: who calls them, and which bytes they leave behind. Part
 * of close_trace.bpf.c.
 */
#ifndef CALLERS_H
#define CALLERS_H

#include "close_calls.h"

static bool is_done(const struct sock *sk)
{
	return sk->__sk_common.skc_flags >> bpf_core_enum_value(enum sock_flags, SOCK_DONE) & 1;
}

/*
 * The sequence numbers of a connection, for which the verifier wants a pointer of its own. Reading through it is
 * a plain load; BPF_CORE_READ() would call a function for each.
 */
struct sequence {
	__u32 rcv_nxt;
	__u32 copied_seq;
	__u32 snd_una;
	__u32 write_seq;
};

static struct sequence sequence_of(struct sock *sk)
{
	const struct tcp_sock *tcp = bpf_skc_to_tcp_sock(sk);

	if (!tcp)
		return (struct sequence){};
	return (struct sequence){
		.rcv_nxt = tcp->rcv_nxt,
		.copied_seq = tcp->copied_seq,
		.snd_una = tcp->snd_una,
		.write_seq = tcp->write_seq,
	};
}

/* What the process has read so far, as a sequence number without the peer's FIN. */
static __u32 read_seq(const struct sock *sk, const struct sequence *sequence)
{
	__u32 seq = sequence->copied_seq;

	return is_done(sk) && seq == sequence->rcv_nxt ? seq - 1 : seq;
}

static __u64 unread_bytes(const struct sock *sk, const struct sequence *sequence)
{
	__u32 bytes = sequence->rcv_nxt - sequence->copied_seq;

	/* The peer's FIN takes a sequence number; it is read last. */
	return bytes && is_done(sk) ? bytes - 1 : bytes;
}

static __u64 unacked_bytes(const struct sequence *sequence, const struct close_record *record)
{
	__u32 bytes = sequence->write_seq - sequence->snd_una;

	/* So does our own, the last to be acknowledged. */
	return bytes && record->flags & CLOSE_FIN_SENT ? bytes - 1 : bytes;
}

/* Whether the last reference to the socket's file is gone. A socket of the kernel's has none. */
static bool is_file_released(const struct file *file)
{
	if (!file)
		return false;
	if (bpf_core_field_exists(file->f_ref))
		return file->f_ref.refcnt.counter < 0;
	return !BPF_CORE_READ((const struct file___before_6_13 *)file, f_count.counter);
}

static const struct file *file_of(const struct sock *sk)
{
	const struct socket *socket = sk->sk_socket;

	return socket ? socket->file : NULL;
}

/*
 * Whether the current process is in the last close(), or in the exit or other call that does its
 * work. It holds the socket's lock, but so does a recv() or setsockopt() that finds the peer's FIN
 * or RST in the backlog, a shutdown(), or whoever destroys the socket of another. Its system call
 * says nothing: the work may be put off to the end of any. But all others refer to the file.
 */
static bool is_close_call(const struct sock *sk)
{
	const struct close_call *call;
	const struct file *file;
	__u64 owner;

	if (!sk->sk_lock.owned)
		return false;
	file = file_of(sk);
	if (file || times_system_calls)
		return is_file_released(file);
	call = current_close_call(&owner);
	return call && call->cookie == (__u64)sk->__sk_common.skc_cookie.counter;
}

static void note_caller(struct close_caller *caller)
{
	__u64 thread = bpf_get_current_pid_tgid();

	caller->pid = thread >> 32;
	caller->tid = thread;
	bpf_get_current_comm(caller->comm, sizeof(caller->comm));
}

/* Whether SO_LINGER lets a close() of this socket wait for the peer. */
static bool may_block(const struct sock *sk)
{
	return sk->__sk_common.skc_flags >> bpf_core_enum_value(enum sock_flags, SOCK_LINGER) & 1 &&
	       sk->sk_lingertime;
}

/* By tracepoints the call begins here. */
static void begin_joined_call(const struct sock *sk, struct connection *connection, bool may_block,
			      bool told)
{
	struct close_call *call = take_slot();

	if (!call) {
		if (may_block)
			__sync_fetch_and_add(&lingering_ended, 1);
		return;
	}
	hold(connection);
	call->cookie = connection->record.cookie;
	call->began_ns = connection->record.closed_ns;
	call->sk = sk;
	call->joined = true;
	call->may_block = may_block;
	call->told = told;
	begin_close_call(call);
}

static void count_lingering(void)
{
	__u64 before = __sync_fetch_and_add(&lingering_begun, 1);

	/* Only an addition whose result is used orders what follows it, on arm64. */
	asm volatile("" : : "r"(before));
}

static void join_system_call(const struct sock *sk, struct connection *connection)
{
	bool lingers = may_block(sk);
	bool told;

	if (!(lingers || close_returns_told) || !is_in_close())
		return;
	/* Counted first: then user space sees it before it takes the events off, or it sees that they are not told. */
	if (lingers)
		count_lingering();
	told = close_returns_told;
	if (lingers || told)
		begin_joined_call(sk, connection, lingers, told);
	/* To attach the events while the call still blocks, and not when there are many records. */
	if (lingers && !told)
		wake_user_space();
}

/* Lets the call that is under way hold the connection, so that how long it blocked comes into the record. */
static void join_close_call(const struct sock *sk, struct connection *connection)
{
	struct close_record *record = &connection->record;
	struct close_call *call;
	__u64 owner;

	if (times_system_calls) {
		join_system_call(sk, connection);
		return;
	}
	call = current_close_call(&owner);
	if (call && call->cookie == record->cookie) {
		record->closed_ns = call->began_ns;
		call->joined = true;
		hold(connection);
	}
}

static void note_close(struct sock *sk, struct connection *connection, __u64 now)
{
	struct close_record *record = &connection->record;
	struct sequence sequence = sequence_of(sk);

	record->flags |= CLOSE_CALLED;
	record->closed_ns = now;
	note_caller(&record->closer);
	record->unread_bytes = unread_bytes(sk, &sequence);
	if (record->unacked_bytes == CLOSE_TRACE_UNKNOWN)
		record->unacked_bytes = unacked_bytes(&sequence, record);
	if (connection->knows_read_at_fin)
		record->drained_bytes = read_seq(sk, &sequence) - connection->read_at_fin;
	join_close_call(sk, connection);
}

/* Our FIN goes out: nobody but shutdown() and the last close() sends it, in the caller's context. */
static void note_fin(struct sock *sk, struct connection *connection, __u64 now)
{
	struct close_record *record = &connection->record;
	struct sequence sequence;

	record->flags |= CLOSE_FIN_SENT;
	if (record->flags & CLOSE_CALLED) {
		record->drained_bytes = 0;
		return;
	}
	sequence = sequence_of(sk);
	connection->read_at_fin = read_seq(sk, &sequence);
	connection->knows_read_at_fin = true;
	/* Of a socket of the kernel's it is not known whether it is closed. */
	if (!file_of(sk))
		return;
	record->flags |= CLOSE_HALF_CLOSED;
	record->half_closed_ns = now;
	note_caller(&record->half_closer);
}

#endif
