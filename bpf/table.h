/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The table of the connections that are followed, by their cookies. Part of close_trace.bpf.c.
 *
 * Cookies are given in sequence, and most connections are short. So a connection sits in an array, at a place
 * that its cookie alone says: to find it there takes no call and a line or two of memory, of what each change of
 * state costs. Where an older connection has the place, or one that user space has not read yet, it goes to a hash
 * table, which has room for all.
 */
#ifndef TABLE_H
#define TABLE_H

#include "filters.h"
#include "places.h"

/* The mini-socket that holds the connection. */
enum mini_stay {
	NO_MINI,
	MINI_FIN_WAIT_2,
	MINI_TIME_WAIT,
	MINI_OVERTOOK, /* its stay was over before the event of the full socket came */
};

struct connection {
	struct close_record record; /* first: user space reads it in its place */
	/* That of the stay, if it was looked up. */
	const struct inet_timewait_sock *mini_socket;
	/* Moments; 0: not entered, or missed. */
	__u64 entered_at; /* the full socket's state */
	__u64 fin_wait_2_at;
	__u64 mini_at; /* FIN_WAIT_2 as a mini-socket */
	__u64 time_wait_at;
	__u64 left_at;	   /* when the full socket reached CLOSE */
	__u32 read_at_fin; /* read_seq() when shutdown() sent our FIN */
	__u32 holders;
	__u32 mini;		/* enum mini_stay */
	bool knows_read_at_fin; /* read_at_fin is */
	__u8 state;		/* of the full socket, as of the last event seen */
	bool had_mini;		/* a mini-socket took the full socket's place */
	/* It did so in FIN_WAIT_2: what the full socket has to say of the end does not count. */
	bool outlived;
};

/* User space may leave out the places at the end, for a small table. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PLACES);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct connection);
} places SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, __u64);
	__type(value, struct connection);
} connections SEC(".maps");

/* How each begins. */
static const struct connection fresh = {
	.record = {
		.established_ns = CLOSE_TRACE_UNKNOWN,
		.half_closed_ns = CLOSE_TRACE_UNKNOWN,
		.closed_ns = CLOSE_TRACE_UNKNOWN,
		.ended_ns = CLOSE_TRACE_UNKNOWN,
		.state_since_ns = CLOSE_TRACE_UNKNOWN,
		.close_call_ns = CLOSE_TRACE_UNKNOWN,
		.fin_wait_1_ns = CLOSE_TRACE_UNKNOWN,
		.fin_wait_2_ns = CLOSE_TRACE_UNKNOWN,
		.orphan_ns = CLOSE_TRACE_UNKNOWN,
		.mini_socket_ns = CLOSE_TRACE_UNKNOWN,
		.closing_ns = CLOSE_TRACE_UNKNOWN,
		.close_wait_ns = CLOSE_TRACE_UNKNOWN,
		.last_ack_ns = CLOSE_TRACE_UNKNOWN,
		.time_wait_ns = CLOSE_TRACE_UNKNOWN,
		.unread_bytes = CLOSE_TRACE_UNKNOWN,
		.unacked_bytes = CLOSE_TRACE_UNKNOWN,
		.drained_bytes = CLOSE_TRACE_UNKNOWN,
		.reset_reason = CLOSE_TRACE_NO_REASON,
		.end = CLOSE_END_OPEN,
	},
	.holders = 1,
};

/* NULL: it is left out. */
static struct connection *place_of(__u64 cookie)
{
	__u32 index = cookie % PLACES;

	return bpf_map_lookup_elem(&places, &index);
}

static struct connection *lookup(__u64 cookie)
{
	struct connection *connection = place_of(cookie);

	if (connection && connection->record.cookie == cookie)
		return connection;
	connection = bpf_map_lookup_elem(&connections, &cookie);
	return connection && connection->record.cookie == cookie ? connection : NULL;
}

/* Only a followed connection is sure to have a cookie; the others must not be given one. */
static struct connection *find(const struct sock *sk, __u64 *ret_cookie)
{
	*ret_cookie = sk->__sk_common.skc_cookie.counter;
	return *ret_cookie ? lookup(*ret_cookie) : NULL;
}

/* By one call: an assignment is a load and a store of code for each 8 bytes, most of what an event would run. */
static void copy(void *to, const void *from, __u32 size)
{
	bpf_probe_read_kernel(to, size, from);
}

/* All but the cookie. */
static void refresh(struct connection *place)
{
	copy(&place->record.established_ns, &fresh.record.established_ns,
	     sizeof(fresh) - sizeof(fresh.record.cookie));
}

static bool pass_on(struct connection *place, __u64 from, __u64 to)
{
	return place->record.cookie == from &&
	       __sync_val_compare_and_swap(&place->record.cookie, from, to) == from;
}

/* A fresh one, for a cookie that is not in the table. NULL: there is no room. */
static struct connection *claim(__u64 cookie)
{
	struct connection *place = place_of(cookie);

	if (place && pass_on(place, PLACE_FREE, PLACE_CLAIMED)) {
		refresh(place);
		return place;
	}
	if (bpf_map_update_elem(&connections, &cookie, &fresh, BPF_ANY))
		return NULL;
	return bpf_map_lookup_elem(&connections, &cookie);
}

/* It is filled: from here on it is found. */
static void publish(struct connection *connection, __u64 cookie)
{
	__sync_lock_test_and_set(&connection->record.cookie, cookie);
}

/* Whoever takes the connection out of the table owns it: no record is written twice. */
static bool take_out(__u64 cookie)
{
	struct connection *place = place_of(cookie);

	if (!place || place->record.cookie != cookie)
		return !bpf_map_delete_elem(&connections, &cookie);
	return pass_on(place, cookie, PLACE_FREE);
}

#endif
