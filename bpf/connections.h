/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The table of the connections that are followed: how they get in, who holds them, how their
 * records leave. Part of close_trace.bpf.c.
 */
#ifndef CONNECTIONS_H
#define CONNECTIONS_H

#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include "close_trace.h"

const volatile bool all_ports = true;
const volatile __u8 watched_ports[65536 / 8]; /* a bit per local port */
const volatile __u64 wakeup_bytes = 64 * 1024;

/* Read by user space through the mapped section. */
__u64 lost_ring_full;
__u64 lost_map_full;
__u64 missed_states; /* changes of state that an event of another one gives away */

struct connection {
	struct close_record record; /* first: user space reads what is left in the table */
	__u64 fin_wait_1_at;	    /* 0: not entered, or the moment was missed */
	__u64 fin_wait_2_at;
	__u64 left_at; /* when the full socket reached CLOSE */
	__u32 holders;
	__u32 mini;    /* held by a mini-socket in FIN_WAIT_2 */
	bool was_mini; /* what the full socket has to say of the end does not count */
	__u8 state;    /* as of the last event seen */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, __u64);
	__type(value, struct connection);
} connections SEC(".maps");

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

static void end_fin_wait_2(struct connection *connection, __u64 now)
{
	struct close_record *record = &connection->record;

	if (!connection->fin_wait_2_at)
		return;
	record->fin_wait_2_ns = now - connection->fin_wait_2_at;
	if (record->flags & CLOSE_CALLED) {
		__u64 orphaned_at = record->closed_ns > connection->fin_wait_2_at
					    ? record->closed_ns
					    : connection->fin_wait_2_at;

		record->orphan_ns = now - orphaned_at;
	} else if (!connection->was_mini) { /* a mini-socket comes after a close(), seen or not */
		record->orphan_ns = 0;
	}
}

#endif
