/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The calls of close() that are under way: how long they block. By fentry, a call begins with tcp_close(), which
 * the last close() alone reaches. By tracepoints it begins with the first state that it sets (callers.h): before
 * that, close() neither waits nor does much, and to see it enter would cost every system call of the machine.
 * Part of close_trace.bpf.c.
 */
#ifndef CLOSE_CALLS_H
#define CLOSE_CALLS_H

#include "connections.h"

/* Tracepoints that tell when close() returns are attached. */
const volatile bool times_system_calls;

struct close_call {
	__u32 thread_id; /* 0: there is none */
	bool joined;	 /* the call holds the connection */
	__u64 cookie;
	__u64 began_ns;
};

enum { CLOSE_CALL_SLOTS = 8192 };

/*
 * By thread, modulo their number: cheaper than a hash table, of what each close() costs. Of two calls at once that
 * fall on one slot, how long the second one took stays unknown.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, CLOSE_CALL_SLOTS);
	__type(key, __u32);
	__type(value, struct close_call);
} close_calls SEC(".maps");

static struct close_call *slot_of(__u32 thread_id)
{
	__u32 index = thread_id % CLOSE_CALL_SLOTS;

	return bpf_map_lookup_elem(&close_calls, &index);
}

/* NULL: the current thread is in none. */
static struct close_call *current_close_call(void)
{
	__u32 thread_id = bpf_get_current_pid_tgid();
	struct close_call *call = slot_of(thread_id);

	return call && call->thread_id == thread_id ? call : NULL;
}

/* Not returned: when the call did is not known. */
static void end_close_call(bool returned)
{
	struct close_call *call = current_close_call();
	struct connection *connection;
	struct close_call ended;

	if (!call)
		return;
	ended = *call;
	__sync_lock_test_and_set(&call->thread_id, 0);
	connection = ended.joined ? lookup(ended.cookie) : NULL;
	if (!connection)
		return;
	if (returned)
		connection->record.close_call_ns = bpf_ktime_get_ns() - ended.began_ns;
	release(ended.cookie, connection);
}

/* Whether there was room for it. */
static bool begin_close_call(__u64 cookie, __u64 now, bool joined)
{
	__u32 thread_id = bpf_get_current_pid_tgid();
	struct close_call *call;

	/* One whose return was missed must not return with this one. */
	end_close_call(false);
	call = slot_of(thread_id);
	if (!call || __sync_val_compare_and_swap(&call->thread_id, 0, thread_id))
		return false;
	call->joined = joined;
	call->cookie = cookie;
	call->began_ns = now;
	return true;
}

/* The thread is in another call: one that began before must have returned. */
static int handle_other_call(void)
{
	end_close_call(false);
	return 0;
}

static int handle_close_exit(void)
{
	end_close_call(true);
	return 0;
}

static int handle_tcp_close(const struct sock *sk)
{
	__u64 cookie;

	end_close_call(false);
	if (find(sk, &cookie))
		begin_close_call(cookie, bpf_ktime_get_ns(), false);
	return 0;
}

/*
 * Whether the current thread is in a call of close(), and not in an exit, nor in what was put off to the end of a
 * call: the return of that is never seen, or was before.
 */
static bool is_in_close(void)
{
	struct task_struct *task = bpf_get_current_task_btf();
	const struct pt_regs *regs = (const struct pt_regs *)bpf_task_pt_regs(task);

	return SYSCALL_NUMBER(regs) == NR_CLOSE && !SYSCALL_HAS_RESULT(regs) &&
	       !(task->flags & PF_EXITING);
}

#endif
