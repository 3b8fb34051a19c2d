/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The record of one TCP connection, as the kernel side writes it and user space reads it. */
#ifndef CLOSE_TRACE_H
#define CLOSE_TRACE_H

#ifndef __bpf__
#include <linux/types.h>
#endif

/* In any __u64 of the record that can be unknown. Never 0: that is a measurement. */
#define CLOSE_TRACE_UNKNOWN (~(__u64)0)

enum { CLOSE_TRACE_COMM_SIZE = 16 };

enum close_end {
	CLOSE_END_UNKNOWN,
	CLOSE_END_FIN,		  /* the peer's FIN came */
	CLOSE_END_TIMEOUT,	  /* FIN_WAIT_2 ran out */
	CLOSE_END_RESET_SENT,	  /* this side sent an RST */
	CLOSE_END_RESET_RECEIVED, /* the peer did */
	CLOSE_END_ABORTED,	  /* neither FIN nor RST: killed, out of memory, gave up */
	CLOSE_END_OPEN,		  /* the trace ended first */
};

enum close_flag {
	CLOSE_FIN_SENT = 1 << 0, /* this side sent a FIN: shutdown() or close() */
	CLOSE_CALLED = 1 << 1,	 /* the last close() was seen; closer_* and the counts are of it */
	CLOSE_RESET_SENT = 1 << 2,     /* tcp_send_reset was seen */
	CLOSE_RESET_RECEIVED = 1 << 3, /* tcp_receive_reset was seen: alone, it was the peer's */
	/* FIN_WAIT_2 was seen, or an event was missed that may have been it: where fin_wait_2_ns is
	 * unknown, there was a stay all the same. */
	CLOSE_FIN_WAIT_2 = 1 << 4,
};

struct close_record {
	__u64 cookie;	      /* the kernel's socket cookie (SO_COOKIE), survives SCM_RIGHTS */
	__u64 established_ns; /* stamps: CLOCK_MONOTONIC */
	__u64 ended_ns;	      /* the FIN, the RST or the time-out that is its end */
	__u64 closed_ns;      /* the last close() began */
	__u64 close_call_ns;  /* durations: how long that close() blocked */
	__u64 fin_wait_1_ns;
	__u64 fin_wait_2_ns; /* the whole stay, after close() too; see CLOSE_FIN_WAIT_2 */
	__u64 orphan_ns;     /* the part of it after the last close() */
	__u64 time_wait_ns;
	__u64 unread_bytes;  /* received, not read, when close() was called */
	__u64 unacked_bytes; /* written, not acknowledged, when close() was called or the end came
			      */
	__u32 netns;	     /* inode of the network namespace */
	__u32 closer_pid;    /* process that called the last close(); 0: not known */
	char closer_comm[CLOSE_TRACE_COMM_SIZE];
	__u16 family; /* AF_INET or AF_INET6 */
	__u16 lport;  /* host order */
	__u16 rport;
	__u8 end;	/* enum close_end */
	__u8 flags;	/* enum close_flag */
	__u8 laddr[16]; /* network order; AF_INET: the first four bytes */
	__u8 raddr[16];
};

_Static_assert(sizeof(struct close_record) == 152, "both sides must agree on the record");

#endif
