/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which connections are followed, and of these, which records are written. Part of close_trace.bpf.c.
 * A connection that is not followed is never given a cookie: at its later events, the missing cookie is
 * all that is looked at.
 */
#ifndef FILTERS_H
#define FILTERS_H

#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include "close_trace.h"

/* Set by user space before the load. 0: any. */
const volatile bool all_ports = true;
const volatile __u16 watched_family;
const volatile __u32 watched_netns;
const volatile __u64 watched_cgroup;
const volatile __u32 watched_pid; /* of who closes or half-closes */
const volatile char watched_comm[CLOSE_TRACE_COMM_SIZE];
const volatile __u8 watched_ports[65536 / 8]; /* a bit per local port */

enum { CGROUP_DEPTH_MAX = 32, CGROUP_ROOT = 1 };

static bool is_watched_port(__u16 port)
{
	return all_ports || watched_ports[port / 8] & 1 << port % 8;
}

/* What goes over the wire: an IPv6 socket may speak IPv4. */
static __u16 wire_family(const struct sock_common *sk)
{
	__u32 words[3] = {};

	if (sk->skc_family != AF_INET6 || !bpf_core_field_exists(sk->skc_v6_daddr))
		return sk->skc_family;
	bpf_core_read(words, sizeof(words), &sk->skc_v6_daddr);
	return !words[0] && !words[1] && words[2] == bpf_htonl(0xffff) ? AF_INET : AF_INET6;
}

static bool is_in_watched_cgroup(const struct sock *sk)
{
	const struct cgroup *cgroup = BPF_CORE_READ(sk, sk_cgrp_data.cgroup);

	if (!cgroup) /* made in the root */
		return watched_cgroup == CGROUP_ROOT;
	for (int i = 0; cgroup && i < CGROUP_DEPTH_MAX; i++) {
		if (BPF_CORE_READ(cgroup, kn, id) == watched_cgroup)
			return true;
		cgroup = (const struct cgroup *)BPF_CORE_READ(cgroup, self.parent);
	}
	return false;
}

/* Of a socket that is connected: its port is unknown before and after. */
static bool is_watched(const struct sock_common *sk)
{
	return is_watched_port(sk->skc_num) &&
	       (!watched_netns || sk->skc_net.net->ns.inum == watched_netns) &&
	       (!watched_family || wire_family(sk) == watched_family);
}

static bool is_watched_caller(const struct close_caller *caller)
{
	if (!caller->pid || (watched_pid && caller->pid != watched_pid))
		return false;
	for (int i = 0; watched_comm[0] && i < CLOSE_TRACE_COMM_SIZE; i++) {
		if (caller->comm[i] != watched_comm[i])
			return false;
		if (!watched_comm[i])
			break;
	}
	return true;
}

static bool is_wanted(const struct close_record *record)
{
	if (!watched_pid && !watched_comm[0])
		return true;
	return is_watched_caller(&record->closer) || is_watched_caller(&record->half_closer);
}

#endif
