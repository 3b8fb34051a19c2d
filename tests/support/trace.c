/* SPDX-License-Identifier: MIT */
#include "tests/support/trace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/clock.h"

static void keep(void *context, const struct close_record *record)
{
	struct trace *trace = context;

	if (trace->count == trace->room) {
		trace->room = trace->room * 2 + 64;
		trace->records = realloc(trace->records, trace->room * sizeof(trace->records[0]));
		assert_non_null(trace->records);
	}
	trace->records[trace->count++] = *record;
}

void trace_start(struct trace *trace, uint16_t port, size_t ring_bytes)
{
	struct tracer_options options = {
		.ports = &port,
		.port_count = port != 0,
		.ring_bytes = ring_bytes,
		.on_record = keep,
		.context = trace,
	};
	char error[256] = "";
	int result;

	memset(trace, 0, sizeof(*trace));
	result = tracer_open(&trace->tracer, &options, error, sizeof(error));
	if (result == -EPERM) {
		print_message("# SKIP %s\n", error);
		skip();
	}
	if (result)
		fail_msg("tracer_open: %s", error);
}

const struct close_record *trace_find(const struct trace *trace, uint64_t cookie)
{
	for (size_t i = 0; i < trace->count; i++)
		if (trace->records[i].cookie == cookie)
			return &trace->records[i];
	return NULL;
}

const struct close_record *trace_wait(struct trace *trace, uint64_t cookie, unsigned int seconds)
{
	uint64_t deadline = clock_now_ns() + seconds * NS_PER_S;
	const struct close_record *record;

	while (!(record = trace_find(trace, cookie)) && clock_now_ns() < deadline) {
		int result = tracer_poll(trace->tracer, 5);

		assert_true(!result || result == -EINTR);
	}
	return record;
}

void trace_stop(struct trace *trace)
{
	tracer_close(trace->tracer);
	free(trace->records);
	memset(trace, 0, sizeof(*trace));
}

uint64_t socket_cookie(int fd)
{
	uint64_t cookie = 0;
	socklen_t length = sizeof(cookie);

	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &length), 0);
	return cookie;
}
