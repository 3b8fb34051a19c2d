/* SPDX-License-Identifier: GPL-2.0-only */
/* When an event happened. Part of close_trace.bpf.c. */
#ifndef MOMENTS_H
#define MOMENTS_H

#include "kernel.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

/*
 * TCP reads the clock once for each packet and each timer (tcp_mstamp_refresh()), before it does what they ask for:
 * three more readings for each connection were a fifth of what following it costs. What a process does, such as close(),
 * comes with no such reading: then it owns the lock. since: the moment before; what the socket remembers is older
 * if somebody else changed its state, as bpf_sock_destroy() does.
 */
static __u64 moment_of(struct sock *sk, __u64 since)
{
	const struct tcp_sock *tcp = sk->sk_lock.owned ? NULL : bpf_skc_to_tcp_sock(sk);

	if (tcp && bpf_core_field_exists(tcp->tcp_clock_cache) && tcp->tcp_clock_cache >= since)
		return tcp->tcp_clock_cache;
	return bpf_ktime_get_ns();
}

#endif
