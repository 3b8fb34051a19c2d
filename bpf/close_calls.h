/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The calls of close() that are under way: how long they block. By fentry, a call begins with tcp_close(), which
 * the last close() alone reaches. By tracepoints it begins with the first state that it sets (callers.h): before
 * that, close() neither waits nor does much. To see it return costs every system call of the machine, so that user
 * space attaches the events for it only while some close() may block; what was missed meanwhile, close_returns.h
 * ends. Part of close_trace.bpf.c.
 */
#ifndef CLOSE_CALLS_H
#define CLOSE_CALLS_H

#include "connections.h"

/* Tracepoints that tell when close() returns are loaded. Whether they are attached, close_returns_told says. */
const volatile bool times_system_calls;

/*
 * Set by user space, while returns of close() are told: after the events are attached, and until before they are
 * taken off. Without them, only a close() that may block takes a slot, and wakes user space to attach them.
 */
volatile bool close_returns_told;
/* Calls of close() that may block. User space leaves the events attached as long as one is under way. */
__u64 lingering_begun;
__u64 lingering_ended;

struct close_call {
	__u64 owner; /* owner_of(); 0: there is none */
	__u64 cookie;
	__u64 began_ns;
	const struct sock *sk; /* for is_past_waiting() */
	bool joined;	       /* the call holds the connection */
	bool may_block;
	/*
	 * Its return is told: it was under way when the events were there. Of another one the return may have
	 * been missed already, and the next that is told may be that of a later call of the same thread.
	 */
	bool told;
};

enum { CLOSE_CALL_SLOTS = 8192 };

/* A slot in the making: no thread has this number. */
static const __u64 NOBODY_YET = 0xffffffff;

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

/*
 * No two calls have the same: whoever has seen one and swaps it for 0 has ended the call that was seen, and not
 * one that the same thread has begun since.
 */
static __u64 owner_of(__u32 thread_id, __u64 cookie)
{
	return cookie << 32 | thread_id;
}

/* NULL: the current thread is in none. */
static struct close_call *current_close_call(__u64 *ret_owner)
{
	__u32 thread_id = bpf_get_current_pid_tgid();
	struct close_call *call = slot_of(thread_id);

	if (!call)
		return NULL;
	*ret_owner = *(volatile __u64 *)&call->owner;
	return (__u32)*ret_owner == thread_id ? call : NULL;
}

/*
 * Ends a call as it was seen with this owner, unless somebody else has. Not returned: when it did is not known.
 */
static void end_seen_call(struct close_call *call, __u64 owner, bool returned)
{
	struct close_call ended = *call;
	struct connection *connection;

	if (__sync_val_compare_and_swap(&call->owner, owner, 0) != owner)
		return;
	if (ended.may_block)
		__sync_fetch_and_add(&lingering_ended, 1);
	connection = ended.joined ? lookup(ended.cookie) : NULL;
	if (!connection)
		return;
	if (returned && ended.told)
		connection->record.close_call_ns = bpf_ktime_get_ns() - ended.began_ns;
	release(ended.cookie, connection);
}

static void end_close_call(bool returned)
{
	__u64 owner;
	struct close_call *call = current_close_call(&owner);

	if (call)
		end_seen_call(call, owner, returned);
}

/* A slot for the current thread; NULL: there is no room for it. To be given to begin_close_call(). */
static struct close_call *take_slot(void)
{
	struct close_call *call;

	/* One whose return was missed must not return with this one. */
	end_close_call(false);
	call = slot_of(bpf_get_current_pid_tgid());
	return call && !__sync_val_compare_and_swap(&call->owner, 0, NOBODY_YET) ? call : NULL;
}

/* The slot is as it has to be but for its owner: from here on, others may end the call. */
static void begin_close_call(struct close_call *call)
{
	__u32 thread_id = bpf_get_current_pid_tgid();

	__sync_lock_test_and_set(&call->owner, owner_of(thread_id, call->cookie));
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
	struct close_call *call;
	__u64 cookie;

	end_close_call(false);
	if (!find(sk, &cookie))
		return 0;
	call = take_slot();
	if (!call)
		return 0;
	call->cookie = cookie;
	call->began_ns = bpf_ktime_get_ns();
	call->joined = call->may_block = false;
	call->told = true;
	begin_close_call(call);
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
