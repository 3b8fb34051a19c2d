/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How the records of connections that are over get to user space: it reads them in their places, in the order of a
 * queue of these. Those of the hash table are copied to a ring buffer, which also serves to wake it. Part of
 * close_trace.bpf.c.
 */
#ifndef RECORDS_H
#define RECORDS_H

#include "table.h"

enum { RING_PAGE = 4096 };

/* When user space is woken; till then it comes from time to time. */
const volatile __u64 wakeup_bytes = 64 * 1024; /* in the ring buffer */
enum { WAKEUP_PLACES = PLACES / 4 };	       /* each time so many were passed on */

__u64 filtered;
__u64 lost_ring_full;
__u64 ended; /* places passed on so far */

/*
 * The queue of places that were passed on: their numbers plus 1, each at the remainder of its turn. 0: nothing there.
 * User space takes a number out before it frees the place, so that the next round finds no number left.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PLACES);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, __u64);
} ended_places SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 * 1024 * 1024);
} records SEC(".maps");

static void wake_user_space(void)
{
	void *nothing = bpf_ringbuf_reserve(&records, sizeof(__u64), 0);

	if (nothing)
		bpf_ringbuf_discard(nothing, BPF_RB_FORCE_WAKEUP);
}

static void drop(__u64 cookie, __u64 *counter)
{
	if (take_out(cookie))
		__sync_fetch_and_add(counter, 1);
}

static void emit_place(__u64 cookie, struct connection *place)
{
	__u64 turn, *entry;
	__u32 index;

	if (!pass_on(place, cookie, cookie ^ PLACE_ENDED))
		return;
	turn = __sync_fetch_and_add(&ended, 1);
	index = turn % PLACES;
	entry = bpf_map_lookup_elem(&ended_places, &index);
	if (entry)
		*(volatile __u64 *)entry = cookie % PLACES + 1;
	if (turn % WAKEUP_PLACES == WAKEUP_PLACES - 1)
		wake_user_space();
}

static void emit_copy(__u64 cookie, const struct connection *connection)
{
	struct close_record *record = bpf_ringbuf_reserve(&records, sizeof(*record), 0);
	__u64 flags = BPF_RB_NO_WAKEUP;

	if (!record) {
		drop(cookie, &lost_ring_full);
		return;
	}
	copy(record, &connection->record, sizeof(*record));
	if (!take_out(cookie)) {
		bpf_ringbuf_discard(record, BPF_RB_NO_WAKEUP);
		return;
	}
	if (bpf_ringbuf_query(&records, BPF_RB_AVAIL_DATA) >= wakeup_bytes)
		flags = BPF_RB_FORCE_WAKEUP;
	bpf_ringbuf_submit(record, flags);
}

static void emit(__u64 cookie, struct connection *connection)
{
	struct connection *place = place_of(cookie);

	if (!is_wanted(&connection->record))
		drop(cookie, &filtered);
	else if (place && place->record.cookie == cookie)
		emit_place(cookie, place);
	else
		emit_copy(cookie, connection);
}

#endif
