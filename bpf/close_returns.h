/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Calls of close() whose return no event will tell, since it is not attached, or was not when they returned.
 * Run by user space, which alone attaches events and takes them off. Part of close_trace.bpf.c.
 */
#ifndef CLOSE_RETURNS_H
#define CLOSE_RETURNS_H

#include "close_calls.h"

/* A call that began so long ago, has nothing to wait for and is still in its slot has returned: that was missed. */
enum { RETURN_MISSED_NS = 1000000000 };

/*
 * Whether the socket has left its process, as it does when close() has waited for the peer: the call returns now,
 * or has returned. The memory may be another socket's, or nobody's: the cookie shows it, if it is read last.
 */
static bool is_past_waiting(const struct close_call *call)
{
	const struct sock *sk = call->sk;
	unsigned long flags = BPF_CORE_READ(sk, __sk_common.skc_flags);
	__u64 cookie = BPF_CORE_READ(sk, __sk_common.skc_cookie.counter);

	return cookie != call->cookie ||
	       flags >> bpf_core_enum_value(enum sock_flags, SOCK_DEAD) & 1;
}

static bool is_return_missed(const struct close_call *call, __u64 now)
{
	if (!call->told)
		return is_past_waiting(call);
	return !close_returns_told ||
	       (call->began_ns + RETURN_MISSED_NS < now && is_past_waiting(call));
}

static long settle_one(void *map, __u32 *key, struct close_call *call, __u64 *now)
{
	__u64 owner;

	if (!*(volatile __u64 *)&call->owner)
		return 0;
	/* Atomic for its order: the owner first, what it has written then. */
	owner = __sync_fetch_and_add(&call->owner, 0);
	if (!owner || owner == NOBODY_YET)
		return 0;
	if (is_return_missed(call, *now))
		end_seen_call(call, owner, false);
	else /* if the events are there, it waits now, and its return will be told */
		call->told = close_returns_told;
	return 0;
}

static int handle_settle_calls(void)
{
	__u64 now = bpf_ktime_get_ns();

	bpf_for_each_map_elem(&close_calls, settle_one, &now, 0);
	return 0;
}

#endif
