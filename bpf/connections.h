/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The connections that are followed: how they begin, and who holds them. Part of close_trace.bpf.c.
 */
#ifndef CONNECTIONS_H
#define CONNECTIONS_H

#include "records.h"

/*
 * Read by user space through the mapped section. followed == records that it has read, or that wait in places and in
 * the ring buffer + connections in the table + lost_ring_full + lost_map_full + filtered.
 */
__u64 followed;
__u64 lost_map_full;
__u64 missed_states; /* changes of state that an event of another one gives away */
__u64 doubts;	     /* entries of undecided: to look for them takes a walk over the table */

/* Sockets that are gone, but not for a reason that is known: it may yet be told. Value: since when. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, __u64);
} undecided SEC(".maps");

static void hold(struct connection *connection)
{
	__sync_fetch_and_add(&connection->holders, 1);
}

static void release(__u64 cookie, struct connection *connection)
{
	if (__sync_fetch_and_add(&connection->holders, -1) == 1)
		emit(cookie, connection);
}

/* Leaves the hold on the connection to the doubt; false if that found no room. */
static bool doubt(__u64 cookie, struct connection *connection, __u64 now)
{
	if (!bpf_map_update_elem(&undecided, &cookie, &now, BPF_ANY)) {
		__sync_fetch_and_add(&doubts, 1);
		return true;
	}
	connection->record.flags |= CLOSE_INCOMPLETE;
	return false;
}

/* Whether there was one. The caller has the hold then. */
static bool end_doubt(__u64 cookie)
{
	if (bpf_map_delete_elem(&undecided, &cookie))
		return false;
	__sync_fetch_and_add(&doubts, -1);
	return true;
}

static void describe(struct close_record *record, const struct sock_common *sk)
{
	record->netns = sk->skc_net.net->ns.inum;
	record->family = sk->skc_family;
	record->lport = sk->skc_num;
	record->rport = bpf_ntohs(sk->skc_dport);
	if (record->family == AF_INET) {
		*(__be32 *)record->laddr = sk->skc_rcv_saddr;
		*(__be32 *)record->raddr = sk->skc_daddr;
	} else if (bpf_core_field_exists(sk->skc_v6_daddr)) {
		bpf_core_read(record->laddr, 16, &sk->skc_v6_rcv_saddr);
		bpf_core_read(record->raddr, 16, &sk->skc_v6_daddr);
	}
}

/* To be published. NULL: there was no room. */
static struct connection *follow(const struct sock_common *sk, __u64 cookie)
{
	struct connection *connection = claim(cookie);

	__sync_fetch_and_add(&followed, 1);
	if (connection)
		describe(&connection->record, sk);
	else
		__sync_fetch_and_add(&lost_map_full, 1);
	return connection;
}

#endif
