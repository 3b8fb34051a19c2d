/* SPDX-License-Identifier: MIT */
#include "tracer/close_timing.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "close_trace.skel.h"
#include "common/clock.h"
#include "tracer/close_events.h"

/*
 * How long the events stay without a close() that may block: long enough that a server which lingers now and then
 * keeps them, short enough that the rest of the day is free of them.
 */
#define QUIET_NS (10 * NS_PER_S)

/* So many connections without one tell it sooner where they come fast, and there the slower path costs most. */
enum { QUIET_CONNECTIONS = 10000 };

/*
 * But not less than this after a close() that did linger: who does so every second on a busy server would have the
 * events come and go as often.
 */
#define RECURS_WITHIN_NS (2 * NS_PER_S)

/* How long calls are looked at: at the first look, some may have been just about to take their slots. */
#define SETTLES_WITHIN_NS (100 * NS_PER_MS)

/* Calls that may block, and have not returned. */
static bool is_under_way(const struct close_trace__bss *counters)
{
	/* In this order: one that begins in between is under way. */
	uint64_t ended = __atomic_load_n(&counters->lingering_ended, __ATOMIC_SEQ_CST);

	return __atomic_load_n(&counters->lingering_begun, __ATOMIC_SEQ_CST) != ended;
}

static uint64_t followed(const struct close_timing *timing)
{
	return __atomic_load_n(&timing->skeleton->bss->followed, __ATOMIC_RELAXED);
}

static void tell(struct close_timing *timing, bool told)
{
	__atomic_store_n(&timing->skeleton->bss->close_returns_told, told, __ATOMIC_SEQ_CST);
}

static void look(struct close_timing *timing, uint64_t now)
{
	uint64_t begun = __atomic_load_n(&timing->skeleton->bss->lingering_begun, __ATOMIC_RELAXED);

	if (begun == timing->begun && !is_under_way(timing->skeleton->bss))
		return;
	timing->begun = begun;
	timing->lingered_at = now;
	timing->followed = followed(timing);
	timing->kept_ns = timing->quiet_ns < RECURS_WITHIN_NS ? timing->quiet_ns : RECURS_WITHIN_NS;
}

static bool is_quiet(const struct close_timing *timing, uint64_t now)
{
	uint64_t passed = now - timing->lingered_at;

	return passed >= timing->quiet_ns ||
	       (passed >= timing->kept_ns &&
		followed(timing) - timing->followed >= timing->quiet_connections);
}

static void turn_on(struct close_timing *timing)
{
	if (close_events_attach(timing->skeleton))
		return;
	tell(timing, true);
	timing->is_on = true;
}

/* First nobody relies on the events any more, then they go. */
static void turn_off(struct close_timing *timing)
{
	tell(timing, false);
	if (is_under_way(timing->skeleton->bss)) {
		tell(timing, true);
		return;
	}
	close_events_detach(timing->skeleton);
	timing->is_on = false;
}

static int settle(struct close_timing *timing)
{
	struct bpf_test_run_opts run = { .sz = sizeof(run) };

	return bpf_prog_test_run_opts(bpf_program__fd(timing->skeleton->progs.settle_calls), &run);
}

void close_timing_begin(struct close_timing *timing, struct close_trace *skeleton,
			const struct hook_set *hooks, const struct tracer_options *options)
{
	*timing = (struct close_timing){
		.skeleton = skeleton,
		.switches = hooks->close_events && !options->all_close_calls,
		.is_on = true,
		.quiet_ns = options->quiet_ns ? options->quiet_ns : QUIET_NS,
		.quiet_connections =
			options->quiet_connections ? options->quiet_connections : QUIET_CONNECTIONS,
		.lingered_at = clock_now_ns(),
	};
	timing->followed = followed(timing);
	tell(timing, true);
}

int close_timing_round(struct close_timing *timing)
{
	uint64_t now = clock_now_ns();
	bool is_wanted;

	if (!timing->switches)
		return 0;
	look(timing, now);
	is_wanted = !is_quiet(timing, now);
	if (is_wanted != timing->is_on) {
		if (is_wanted)
			turn_on(timing);
		else
			turn_off(timing);
		timing->switched_at = now;
		timing->unsettled = true;
	}
	if (!timing->unsettled)
		return 0;
	timing->unsettled = now - timing->switched_at < SETTLES_WITHIN_NS;
	return settle(timing);
}
