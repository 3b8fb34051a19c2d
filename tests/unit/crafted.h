/* SPDX-License-Identifier: MIT */
/* Records for the tests of what is written of them. */
#ifndef TESTS_UNIT_CRAFTED_H
#define TESTS_UNIT_CRAFTED_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bpf/close_trace.h"

/* Nothing is known but whose it is. */
static const struct close_record unknown_record = {
	.family = AF_INET6,
	.lport = 443,
	.rport = 50000,
	.laddr = { [15] = 1 },
	.raddr = { 0xfe, 0x80, [15] = 2 },
	.netns = 3,
	.cookie = 7,
	.flags = CLOSE_SEEDED | CLOSE_INCOMPLETE,
	.state = 1,
	.reset_reason = CLOSE_TRACE_NO_REASON,
	.established_ns = CLOSE_TRACE_UNKNOWN,
	.half_closed_ns = CLOSE_TRACE_UNKNOWN,
	.closed_ns = CLOSE_TRACE_UNKNOWN,
	.ended_ns = CLOSE_TRACE_UNKNOWN,
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
	.state_since_ns = CLOSE_TRACE_UNKNOWN,
};

/* Everything is known, zeros among it. */
static const struct close_record known_record = {
	.family = AF_INET,
	.lport = 80,
	.rport = 50000,
	.laddr = { 127, 0, 0, 1 },
	.raddr = { 10, 0, 0, 2 },
	.netns = 3,
	.cookie = 7,
	.flags = CLOSE_ACCEPTED | CLOSE_CALLED | CLOSE_HALF_CLOSED | CLOSE_FIN_SENT |
		 CLOSE_RESET_RECEIVED,
	.state = 7,
	.end = CLOSE_END_RESET_RECEIVED,
	.reset_reason = CLOSE_TRACE_NO_REASON,
	.established_ns = 1000,
	.half_closed_ns = 1500,
	.closed_ns = 2000,
	.ended_ns = 3000,
	.close_call_ns = 1,
	.fin_wait_1_ns = 1500,
	.fin_wait_2_ns = 60000000000,
	.orphan_ns = 2,
	.mini_socket_ns = 1,
	.closing_ns = 3,
	.close_wait_ns = 4,
	.last_ack_ns = 5,
	.time_wait_ns = 0,
	.unread_bytes = 0,
	.unacked_bytes = 9,
	.drained_bytes = 0,
	.state_since_ns = 4000,
	.half_closer = { 41, 40, "w \"o\\rk\"" },
	.closer = { 42, 43, "a,b\033\xff" },
};

static char crafted_path[256];

static inline void make_crafted_file(void)
{
	const char *folder = getenv("TMPDIR");
	int fd;

	snprintf(crafted_path, sizeof(crafted_path), "%s/row-XXXXXX", folder ? folder : "/tmp");
	fd = mkstemp(crafted_path);
	assert_true(fd >= 0);
	close(fd);
}

/* What was written to it; the file is removed. */
static inline const char *take_crafted_file(void)
{
	static char text[4096];
	FILE *file = fopen(crafted_path, "r");
	size_t length;

	assert_non_null(file);
	length = fread(text, 1, sizeof(text) - 1, file);
	text[length] = '\0';
	fclose(file);
	unlink(crafted_path);
	return text;
}

#endif
