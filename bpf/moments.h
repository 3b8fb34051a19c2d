/* SPDX-License-Identifier: GPL-2.0-only */
/* When an event happened. Part of close_trace.bpf.c. */
#ifndef MOMENTS_H
#define MOMENTS_H

#include "kernel.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

/*
 * Whether it is a packet or a timer that makes this change of state, if no process owns the lock. Others are also
 * made without owning it: by who closes a listening socket with connections that nobody accepted. Only the end that
 * bpf_sock_destroy() makes, in one of these states, gets the time of the last packet.
 */
static bool is_of_network(int from, int to)
{
	switch (to) {
	case TCP_ESTABLISHED:
	case TCP_FIN_WAIT2:
	case TCP_CLOSING:
	case TCP_CLOSE_WAIT:
		return true;
	case TCP_CLOSE:
		return from == TCP_FIN_WAIT2 || from == TCP_CLOSING || from == TCP_LAST_ACK;
	default:
		return false;
	}
}

/*
 * TCP reads the clock once for each packet and each timer (tcp_mstamp_refresh()), before it does what they ask for;
 * three more readings for each connection were a fifth of what following it costs. since: the moment before, which
 * none may precede, not even one of bpf_sock_destroy(), which owns no lock either.
 */
static __u64 moment_of(struct sock *sk, int from, int to, __u64 since)
{
	const struct tcp_sock *tcp;

	if (sk->sk_lock.owned || !is_of_network(from, to))
		return bpf_ktime_get_ns();
	tcp = bpf_skc_to_tcp_sock(sk);
	if (tcp && bpf_core_field_exists(tcp->tcp_clock_cache) && tcp->tcp_clock_cache &&
	    tcp->tcp_clock_cache >= since)
		return tcp->tcp_clock_cache;
	return bpf_ktime_get_ns();
}

#endif
