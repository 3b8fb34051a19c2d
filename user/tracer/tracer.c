/* SPDX-License-Identifier: MIT */
#include "tracer/tracer.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "close_trace.skel.h"
#include "common/clock.h"
#include "tracer/close_timing.h"
#include "tracer/live_sockets.h"
#include "tracer/loading.h"
#include "tracer/places.h"

/*
 * How long a socket that was destroyed is given to report the RST that was the reason. The kernel
 * does it within the handling of the same packet; the rest is for hypervisors that pause a CPU.
 */
#define DECIDE_AFTER_NS (100 * NS_PER_MS)

/* How long a program may still run that has been detached: it must not write what has been read already. */
#define RUNS_WITHIN_NS (10 * NS_PER_MS)

/* When a closed connection whose end was missed leaves the table: after any mini-socket would. */
#define STALE_AFTER_NS (10 * 60 * NS_PER_S)
#define SWEEP_EVERY_NS (60 * NS_PER_S)

struct tracer {
	struct close_trace *skeleton;
	struct places places;
	struct ring_buffer *ring;
	struct hook_set hooks;
	struct close_timing close_timing;
	struct tracer_filter filter; /* but its ports */
	tracer_record_fn *on_record;
	void *context;
	size_t delivered;      /* by the call under way */
	uint64_t swept_at;     /* when stale connections were last looked for */
	uint64_t missed_ends;  /* of connections that were gone, but not from the table */
	uint64_t filtered_end; /* connections of others that the end of the trace found */
	bool finished;
};

static void deliver(void *context, const struct close_record *record)
{
	struct tracer *tracer = context;

	tracer->on_record(tracer->context, record);
	tracer->delivered++;
}

static int deliver_copy(void *context, void *data, size_t size)
{
	if (size < sizeof(struct close_record))
		return -EPROTO;
	deliver(context, data);
	return 0;
}

int tracer_open(struct tracer **ret, const struct tracer_options *options, char *error,
		size_t error_size)
{
	struct tracer *tracer = calloc(1, sizeof(*tracer));
	int result;

	if (!tracer) {
		snprintf(error, error_size, "out of memory");
		return -ENOMEM;
	}
	tracer->on_record = options->on_record;
	tracer->context = options->context;
	tracer->filter = options->filter;
	tracer->filter.ports = NULL;
	result = loading_run(&tracer->skeleton, &tracer->places, &tracer->hooks, options, error,
			     error_size);
	if (result)
		goto fail;
	tracer->ring = ring_buffer__new(bpf_map__fd(tracer->skeleton->maps.records), deliver_copy,
					tracer, NULL);
	result = tracer->ring ? 0 : -errno;
	if (!result && options->existing)
		result = loading_follow_existing(tracer->skeleton);
	close_timing_begin(&tracer->close_timing, tracer->skeleton, &tracer->hooks, options);
	if (result) {
		snprintf(error, error_size, "cannot set up the trace: %s", strerror(-result));
		goto fail;
	}
	*ret = tracer;
	return 0;
fail:
	tracer_close(tracer);
	return result;
}

bool tracer_uses_fentry(const struct tracer *tracer)
{
	return tracer->hooks.fentry;
}

bool tracer_times_close_calls(const struct tracer *tracer)
{
	return tracer->hooks.close_calls;
}

bool tracer_follows_mini_sockets(const struct tracer *tracer)
{
	return tracer->hooks.mini_sockets;
}

/*
 * Lets the kernel side write the records that waited for an RST which did not come, and unless
 * stale_ns is 0 those that have waited so long for an event that was missed.
 */
static int decide(struct tracer *tracer, uint64_t min_age_ns, uint64_t stale_ns)
{
	struct {
		uint64_t min_age_ns;
		uint64_t stale_ns;
	} arguments = { min_age_ns, stale_ns };
	struct bpf_test_run_opts run = {
		.sz = sizeof(run),
		.ctx_in = &arguments,
		.ctx_size_in = sizeof(arguments),
	};

	return bpf_prog_test_run_opts(bpf_program__fd(tracer->skeleton->progs.leftovers), &run);
}

static int consume(struct tracer *tracer)
{
	int result;

	places_consume(&tracer->places, deliver, tracer);
	result = ring_buffer__consume(tracer->ring);
	return result < 0 ? result : 0;
}

int tracer_drain(struct tracer *tracer)
{
	uint64_t now = clock_now_ns();
	bool sweeps = now - tracer->swept_at >= SWEEP_EVERY_NS;
	int result = 0;

	if (sweeps)
		tracer->swept_at = now;
	if (sweeps || __atomic_load_n(&tracer->skeleton->bss->doubts, __ATOMIC_RELAXED))
		result = decide(tracer, DECIDE_AFTER_NS, sweeps ? STALE_AFTER_NS : 0);
	if (!result)
		result = consume(tracer);
	/* Last: a close() that begins after the look leaves its wake-up in the ring. */
	return result ? result : close_timing_round(&tracer->close_timing);
}

int tracer_poll(struct tracer *tracer, int timeout_ms)
{
	int result;

	tracer->delivered = 0;
	result = tracer_drain(tracer);
	if (result || tracer->delivered)
		return result;
	/* The kernel side wakes nobody for a few records: look again when the time is over. */
	result = ring_buffer__poll(tracer->ring, timeout_ms);
	return result < 0 ? result : tracer_drain(tracer);
}

/* Program runs that the kernel skipped because the same program was running on that CPU. */
static uint64_t missed_runs(const struct close_trace *skeleton)
{
	struct bpf_program *program;
	uint64_t sum = 0;

	bpf_object__for_each_program (program, skeleton->obj) {
		struct bpf_prog_info info = { 0 };
		uint32_t size = sizeof(info);

		if (!bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size))
			sum += info.recursion_misses;
	}
	return sum;
}

static bool is_wanted_caller(const struct tracer_filter *filter, const struct close_caller *caller)
{
	return caller->pid && (!filter->pid || filter->pid == caller->pid) &&
	       (!filter->comm[0] || !strncmp(filter->comm, caller->comm, sizeof(filter->comm)));
}

/* As in the kernel side's filters.h, which does not see the connections that have not ended. */
static bool is_wanted(const struct tracer_filter *filter, const struct close_record *record)
{
	if (!filter->pid && !filter->comm[0])
		return true;
	return is_wanted_caller(filter, &record->closer) ||
	       is_wanted_caller(filter, &record->half_closer);
}

/* Its socket is gone, and no event said so. */
static bool end_was_missed(const struct close_record *record, const struct live_sockets *live)
{
	bool is_older = record->flags & CLOSE_SEEDED || record->established_ns < live->at_ns;

	return record->end == CLOSE_END_OPEN && record->netns == live->netns && is_older &&
	       !live_sockets_have(live, record->cookie);
}

struct rest {
	struct tracer *tracer;
	const struct live_sockets *live;
};

static void deliver_ended(void *context, const struct close_record *record)
{
	const struct rest *rest = context;

	deliver(rest->tracer, record);
}

static void deliver_open(void *context, const struct close_record *left)
{
	const struct rest *rest = context;
	struct tracer *tracer = rest->tracer;
	struct close_record record = *left;

	if (end_was_missed(&record, rest->live)) {
		record.end = CLOSE_END_UNKNOWN;
		record.flags |= CLOSE_INCOMPLETE;
		tracer->missed_ends++;
	}
	if (is_wanted(&tracer->filter, &record))
		tracer->on_record(tracer->context, &record);
	else
		tracer->filtered_end++;
}

/* Each value begins with the record. */
static int empty_hash_table(struct rest *rest)
{
	const struct bpf_map *map = rest->tracer->skeleton->maps.connections;
	void *value = malloc(bpf_map__value_size(map));
	uint64_t cookie;
	int result = value ? 0 : -ENOMEM;

	while (!result && !bpf_map__get_next_key(map, NULL, &cookie, sizeof(cookie))) {
		result = bpf_map__lookup_and_delete_elem(map, &cookie, sizeof(cookie), value,
							 bpf_map__value_size(map), 0);
		if (result == -ENOENT)
			result = 0;
		else if (!result)
			deliver_open(rest, value);
	}
	free(value);
	return result;
}

/* Delivers what is left in the table; nothing writes to it any more. */
static int empty_table(struct tracer *tracer, const struct live_sockets *live)
{
	struct rest rest = { tracer, live };

	places_take_rest(&tracer->places, deliver_ended, deliver_open, &rest);
	return empty_hash_table(&rest);
}

int tracer_finish(struct tracer *tracer)
{
	struct close_trace *skeleton = tracer->skeleton;
	struct live_sockets live;
	int result;

	if (tracer->finished)
		return 0;
	tracer->finished = true;
	/* While ends are still reported. Without it (no sock_diag) nothing is taken for gone. */
	live_sockets_read(&live);
	/* First the source of ends, then, when what they bring along is in, the others. */
	__atomic_store_n(&skeleton->bss->ending, true, __ATOMIC_SEQ_CST);
	bpf_link__destroy(skeleton->links.on_state);
	skeleton->links.on_state = NULL;
	clock_sleep_ns(DECIDE_AFTER_NS);
	close_trace__detach(skeleton);
	clock_sleep_ns(RUNS_WITHIN_NS);
	result = decide(tracer, 0, 0);
	if (!result)
		result = consume(tracer);
	if (!result)
		result = empty_table(tracer, &live);
	live_sockets_free(&live);
	return result ? result : consume(tracer);
}

void tracer_get_counts(const struct tracer *tracer, struct tracer_counts *ret)
{
	const struct close_trace__bss *counters = tracer->skeleton->bss;

	ret->ring_full = __atomic_load_n(&counters->lost_ring_full, __ATOMIC_RELAXED);
	ret->map_full = __atomic_load_n(&counters->lost_map_full, __ATOMIC_RELAXED);
	ret->followed = __atomic_load_n(&counters->followed, __ATOMIC_RELAXED);
	ret->filtered =
		__atomic_load_n(&counters->filtered, __ATOMIC_RELAXED) + tracer->filtered_end;
	ret->stray_resets = tracer->skeleton->rodata->has_reset_reason
				    ? __atomic_load_n(&counters->stray_resets, __ATOMIC_RELAXED)
				    : CLOSE_TRACE_UNKNOWN;
	ret->missed_events = missed_runs(tracer->skeleton) +
			     __atomic_load_n(&counters->missed_states, __ATOMIC_RELAXED) +
			     tracer->missed_ends;
}

void tracer_close(struct tracer *tracer)
{
	if (!tracer)
		return;
	ring_buffer__free(tracer->ring);
	places_close(&tracer->places);
	close_trace__destroy(tracer->skeleton);
	free(tracer);
}
