/* SPDX-License-Identifier: MIT */
#include "tracer/hooks.h"

#include <bpf/libbpf.h>

#include "close_trace.skel.h"
#include "tracer/kernel_support.h"

/*
 * Whether fentry is allowed, only loading it shows: lockdown, for one, forbids it. Of the tracepoints of
 * mini-sockets it takes all or none: one alone would end a stay at a time that is not its end.
 */
static const struct hook_set sets[] = {
	{ .fentry = true, .mini_sockets = true, .close_calls = true },
	{ .mini_sockets = true, .close_calls = true, .close_events = true },
	{ .mini_sockets = true, .close_calls = true },
	{ .close_calls = true, .close_events = true },
	{ .close_calls = true },
	{ 0 },
};

static bool is_possible(const struct hook_set *set, const struct tracer_options *options)
{
	if (options->hooks != TRACER_HOOKS_AUTO &&
	    set->fentry != (options->hooks == TRACER_HOOKS_FENTRY))
		return false;
	if (set->close_events && options->no_close_events)
		return false;
	return set->fentry || !set->mini_sockets ||
	       (!options->no_mini_sockets && kernel_shows_mini_sockets());
}

bool hook_set_choose(struct hook_set *ret, const struct tracer_options *options, size_t attempt)
{
	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		if (!is_possible(&sets[i], options) || attempt--)
			continue;
		*ret = sets[i];
		if (!ret->fentry && (options->no_close_calls || !kernel_closes_in_call()))
			ret->close_calls = ret->close_events = false;
		return true;
	}
	return false;
}

static void apply_mini_sockets(const struct hook_set *set, bool time_wait,
			       struct close_trace *skeleton)
{
	bool by_tracepoints = set->mini_sockets && !set->fentry;
	bool by_fentry = set->mini_sockets && set->fentry;

	skeleton->rodata->follows_mini_sockets = set->mini_sockets;
	skeleton->rodata->follows_time_wait = time_wait;
	skeleton->rodata->looks_up_mini_sockets = by_tracepoints && !time_wait;
	bpf_program__set_autoload(skeleton->progs.tp_timer_start, by_tracepoints && time_wait);
	bpf_program__set_autoload(skeleton->progs.tp_timer_cancel, by_tracepoints && time_wait);
	bpf_program__set_autoload(skeleton->progs.tp_timer_expire, by_tracepoints);
	bpf_program__set_autoload(skeleton->progs.tp_drop, by_tracepoints);
	bpf_program__set_autoload(skeleton->progs.fentry_mini_schedule, by_fentry);
	bpf_program__set_autoload(skeleton->progs.fentry_mini_expire, by_fentry);
	bpf_program__set_autoload(skeleton->progs.fentry_mini_deschedule, by_fentry);
	bpf_program__set_autoload(skeleton->progs.fexit_mini_packet, by_fentry);
}

static void apply_close_calls(const struct hook_set *set, struct close_trace *skeleton)
{
	bool by_tracepoints = set->close_calls && !set->fentry;
	bool by_fentry = set->close_calls && set->fentry;

	skeleton->rodata->times_system_calls = by_tracepoints;
	bpf_program__set_autoload(skeleton->progs.tp_syscall_exit,
				  by_tracepoints && !set->close_events);
	bpf_program__set_autoload(skeleton->progs.event_close_enter,
				  by_tracepoints && set->close_events);
	bpf_program__set_autoload(skeleton->progs.event_close_exit,
				  by_tracepoints && set->close_events);
	bpf_program__set_autoload(skeleton->progs.settle_calls,
				  by_tracepoints && set->close_events);
	bpf_program__set_autoload(skeleton->progs.fentry_tcp_close, by_fentry);
	bpf_program__set_autoload(skeleton->progs.fexit_tcp_close, by_fentry);
}

void hook_set_apply(const struct hook_set *set, const struct tracer_options *options,
		    struct close_trace *skeleton)
{
	apply_mini_sockets(set, options->time_wait, skeleton);
	apply_close_calls(set, skeleton);
}
