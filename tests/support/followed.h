/* SPDX-License-Identifier: MIT */
/*
 * One loopback connection whose accepted side is followed by a tracer, and what tests do to it. Calls fail the test
 * (cmocka) on errors.
 */
#ifndef TEST_FOLLOWED_H
#define TEST_FOLLOWED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/support/tcp.h"
#include "tests/support/trace.h"

/* One connection whose accepted side is followed. */
struct followed {
	struct trace trace;
	struct tcp_pair pair;
	uint64_t cookie;
	int listener;
};

/* When a call of the test was made, as nearly as the test can tell. */
struct moment {
	uint64_t before;
	uint64_t after;
};

/* By the tracer that was started last. */
extern bool followed_times_close_calls;

/* Listens on a fresh port, traces it, and connects. */
void followed_begin(struct followed *followed);
/* Its record, the only one; fails without. */
const struct close_record *followed_wait(struct followed *followed);
/* Ends the trace; nothing was lost in it. */
void followed_end(struct followed *followed);
void send_bytes(int fd, size_t bytes);
void receive_bytes(int fd, size_t bytes);
void set_linger(int fd, int seconds);
/* The peer's kernel may delay the acknowledgement of the FIN: a test knows the two states' sum. */
uint64_t half_closed_ns(const struct close_record *record);
struct moment shutdown_now(int fd, int how);
struct moment close_now(int fd);
/* A packet may wait for ksoftirqd on a busy machine: until its effect is seen here. */
uint64_t wait_fin_acked(int fd);
struct moment close_peer_and_wait(const struct followed *followed);
void assert_lasted(uint64_t ns, struct moment from, struct moment to);
void assert_closed_here(const struct close_record *record);

#define assert_unknown(value) assert_true((value) == CLOSE_TRACE_UNKNOWN)
#define assert_known(value)   assert_true((value) != CLOSE_TRACE_UNKNOWN)

#endif
