/* SPDX-License-Identifier: MIT */
#include "tests/support/trace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"

enum { ATTEMPTS = 3, FAILED = 1, FAILED_WITH_EVENTS_MISSED = 2, OPEN_MAX = 256 };

/* Those of failed tests stay open. */
static struct tracer *open_tracers[OPEN_MAX];
static uint64_t missed_by_closed_ones;

static uint64_t missed_by(const struct tracer *tracer)
{
	struct tracer_counts losses;

	tracer_get_counts(tracer, &losses);
	return losses.missed_events;
}

static void remember(struct tracer *tracer)
{
	for (size_t i = 0; i < OPEN_MAX; i++) {
		if (open_tracers[i])
			continue;
		open_tracers[i] = tracer;
		return;
	}
}

static void forget(const struct tracer *tracer)
{
	for (size_t i = 0; i < OPEN_MAX; i++)
		if (tracer && open_tracers[i] == tracer) {
			open_tracers[i] = NULL;
			missed_by_closed_ones += missed_by(tracer);
		}
}

static bool events_were_missed(void)
{
	uint64_t missed = missed_by_closed_ones;

	for (size_t i = 0; i < OPEN_MAX; i++)
		if (open_tracers[i])
			missed += missed_by(open_tracers[i]);
	return missed;
}

static int run_in_child(int (*run_group)(void), int output)
{
	int status = 0;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (!pid) {
		dup2(output, STDOUT_FILENO);
		dup2(output, STDERR_FILENO);
		status = run_group();
		fflush(NULL);
		if (status)
			_exit(events_were_missed() ? FAILED_WITH_EVENTS_MISSED : FAILED);
		exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return FAILED;
	return WIFEXITED(status) ? WEXITSTATUS(status) : FAILED;
}

static void show(int output)
{
	char buffer[4096];
	ssize_t n;

	lseek(output, 0, SEEK_SET);
	while ((n = read(output, buffer, sizeof(buffer))) > 0)
		fwrite(buffer, 1, (size_t)n, stdout);
}

int trace_run_tests(int (*run_group)(void))
{
	int output = memfd_create("output", MFD_CLOEXEC);
	int result = FAILED;

	for (int attempt = 1; attempt <= ATTEMPTS; attempt++) {
		if (ftruncate(output, 0) || lseek(output, 0, SEEK_SET))
			return FAILED;
		result = run_in_child(run_group, output);
		if (result != FAILED_WITH_EVENTS_MISSED)
			break;
		printf("# attempt %d failed, with events kept from the tracer\n", attempt);
	}
	show(output);
	close(output);
	return result;
}

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

void trace_start_with(struct trace *trace, const struct tracer_options *options)
{
	struct tracer_options complete = *options;
	char error[256] = "";
	int result;

	memset(trace, 0, sizeof(*trace));
	complete.on_record = keep;
	complete.context = trace;
	result = tracer_open(&trace->tracer, &complete, error, sizeof(error));
	if (result == -EPERM) {
		print_message("# SKIP %s\n", error);
		skip();
	}
	if (result)
		fail_msg("tracer_open: %s", error);
	remember(trace->tracer);
}

void trace_start(struct trace *trace, uint16_t port, size_t ring_bytes)
{
	const struct tracer_options options = {
		.filter = { .ports = &port, .port_count = port != 0 },
		.ring_bytes = ring_bytes,
	};

	trace_start_with(trace, &options);
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
	if (!record) /* the end may have been missed: only the trace's end shows it */
		assert_int_equal(tracer_finish(trace->tracer), 0);
	return record;
}

void trace_stop(struct trace *trace)
{
	forget(trace->tracer);
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
