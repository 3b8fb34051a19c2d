/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The in-kernel drain: what a peer sends to a connection in the table is thrown away as it arrives. Nobody is woken,
 * nothing is queued, and the window stays open. The peer's FIN and RST come to the socket as ever.
 *
 * Who puts a connection in (lingerd, see user/lingerd/kernel_drain.h) has read what was queued before, or reads it then.
 */
#include "kernel.h"

#include <bpf/bpf_helpers.h>

/* By the socket's cookie. The kernel takes a connection out when its last descriptor is closed. */
struct {
	__uint(type, BPF_MAP_TYPE_SOCKHASH);
	__uint(max_entries, 65536);
	__type(key, __u64);
	__type(value, __u64);
} connections SEC(".maps");

SEC("sk_skb/stream_verdict")
int drain(struct __sk_buff *skb)
{
	return SK_DROP;
}

char LICENSE[] SEC("license") = "GPL";
