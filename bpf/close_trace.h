/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The record of one TCP connection, as the kernel side writes it and user space reads it. */
#ifndef CLOSE_TRACE_H
#define CLOSE_TRACE_H

#ifndef __bpf__
#include <linux/types.h>
#endif

/* In any __u64 of the record that can be unknown. Never 0: that is a measurement. */
#define CLOSE_TRACE_UNKNOWN (~(__u64)0)
/* In reset_reason: the kernel gave none (before Linux 6.10), or no RST was sent. */
#define CLOSE_TRACE_NO_REASON (~(__u32)0)

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
	CLOSE_HALF_CLOSED =
		1 << 1,		   /* it was shutdown(): half_closer and half_closed_ns are of it */
	CLOSE_CALLED = 1 << 2,	   /* the last close() was seen; closer and the counts are of it */
	CLOSE_RESET_SENT = 1 << 3, /* tcp_send_reset was seen */
	/* tcp_receive_reset was seen. Together with CLOSE_RESET_SENT it was merely local: the kernel
	 * aborts a closed socket that gets data as if it had received an RST. */
	CLOSE_RESET_RECEIVED = 1 << 4,
	/* FIN_WAIT_2 was seen, or an event was missed that may have been it: where fin_wait_2_ns is
	 * unknown, there was a stay all the same. */
	CLOSE_FIN_WAIT_2 = 1 << 5,
	CLOSE_SEEDED = 1 << 6,	   /* it was there when the trace began */
	CLOSE_INCOMPLETE = 1 << 7, /* an event of it was missed, or found no room */
	/* The kernel had too many mini-sockets to make one (TCPTimeWaitOverflow). */
	CLOSE_TIME_WAIT_OVERFLOW = 1 << 8,
	/* Neither is known of a connection that was there before. */
	CLOSE_ACCEPTED = 1 << 9,   /* passive open: this side is the server's */
	CLOSE_CONNECTED = 1 << 10, /* active open */
};

/* A thread in a system call. pid is the process, tid the thread, both of the initial PID namespace. */
struct close_caller {
	__u32 pid; /* 0: not known */
	__u32 tid;
	char comm[CLOSE_TRACE_COMM_SIZE];
};

struct close_record {
	__u64 cookie; /* the kernel's socket cookie (SO_COOKIE), survives SCM_RIGHTS */

	/* stamps: CLOCK_MONOTONIC */
	__u64 established_ns;
	__u64 half_closed_ns; /* shutdown() sent our FIN */
	__u64 closed_ns;      /* the last close() began */
	__u64 ended_ns;	      /* the FIN, the RST or the time-out that is its end */
	__u64 state_since_ns; /* when the state that it is in was entered */

	/* durations */
	__u64 close_call_ns; /* how long that close() blocked */
	__u64 fin_wait_1_ns;
	__u64 fin_wait_2_ns;  /* the whole stay, after close() too; see CLOSE_FIN_WAIT_2 */
	__u64 orphan_ns;      /* the part of it after the last close() */
	__u64 mini_socket_ns; /* the part of that as a timewait mini-socket, not as a full orphan */
	__u64 closing_ns;     /* CLOSING: both FINs crossed */
	__u64 close_wait_ns;  /* CLOSE_WAIT: from the peer's FIN to ours */
	__u64 last_ack_ns; /* LAST_ACK: from our FIN to its acknowledgement, the peer's being here */
	__u64 time_wait_ns;

	__u64 unread_bytes;  /* received, not read, when close() was called */
	__u64 unacked_bytes; /* written, not acknowledged, when close() was called or the end came */
	__u64 drained_bytes; /* read by the process between our FIN and close() */

	__u32 netns;	    /* inode of the network namespace */
	__u32 reset_reason; /* of the RST that was sent: the running kernel's enum sk_rst_reason */
	struct close_caller half_closer;
	struct close_caller closer;
	__u8 laddr
		[16]; /* network order; AF_INET: the first four bytes; IPv4 on an IPv6 socket: mapped */
	__u8 raddr[16];
	__u16 family; /* AF_INET or AF_INET6 */
	__u16 lport;  /* host order */
	__u16 rport;
	__u16 flags; /* enum close_flag */
	__u8 end;    /* enum close_end */
	__u8 state;  /* the last one seen, as in net/tcp_states.h */
	__u8 padding[6];
};

_Static_assert(sizeof(struct close_record) == 248, "both sides must agree on the record");

#endif
