/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The mini-sockets in the kernel's table of connections. What the timers tell of them costs each timer of the
 * machine; whether there is one, and whether it is there still, can be looked up when something tells that it
 * may be. Part of close_trace.bpf.c.
 */
#ifndef MINI_TABLE_H
#define MINI_TABLE_H

#include "filters.h"

enum { CHAIN_MAX = 64, NULLS = 1 /* the end of a chain is an odd number */ };

static struct inet_timewait_sock *mini_of_node(const struct hlist_nulls_node *node)
{
	return (void *)node -
	       bpf_core_field_offset(struct inet_timewait_sock, __tw_common.skc_nulls_node);
}

/* The one that has taken the place of this socket, which was in the same chain; NULL: there is none. */
static struct inet_timewait_sock *mini_in_place_of(const struct sock *sk)
{
	const struct inet_hashinfo *table =
		sk->__sk_common.skc_net.net->ipv4.tcp_death_row.hashinfo;
	__u64 cookie = sk->__sk_common.skc_cookie.counter;
	struct hlist_nulls_node *node = NULL;
	__u64 bucket = sk->__sk_common.skc_hash & table->ehash_mask;

	bpf_core_read(&node, sizeof(node),
		      (void *)table->ehash + bucket * bpf_core_type_size(struct inet_ehash_bucket));
	for (int i = 0; i < CHAIN_MAX && node && !((long)node & NULLS); i++) {
		struct inet_timewait_sock *mini = mini_of_node(node);

		if (BPF_CORE_READ(mini, __tw_common.skc_state) == TCP_TIME_WAIT &&
		    (__u64)BPF_CORE_READ(mini, __tw_common.skc_cookie.counter) == cookie)
			return mini;
		node = BPF_CORE_READ(node, next);
	}
	return NULL;
}

/* Its memory may be another's by now. */
static bool is_mini_there(const struct inet_timewait_sock *mini, __u64 cookie)
{
	return (__u64)BPF_CORE_READ(mini, __tw_common.skc_cookie.counter) == cookie &&
	       BPF_CORE_READ(mini, __tw_common.skc_nulls_node.pprev);
}

#endif
