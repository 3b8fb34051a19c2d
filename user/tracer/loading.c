/* SPDX-License-Identifier: MIT */
#include "tracer/loading.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "close_trace.skel.h"
#include "tracer/close_events.h"
#include "tracer/kernel_support.h"
#include "tracer/ring_pages.h"

static int print_nothing(enum libbpf_print_level level, const char *format, va_list arguments)
{
	(void)level;
	(void)format;
	(void)arguments;
	return 0;
}

/* Programs that user space runs came with 5.14; 5.15 is the long-term kernel after it. */
static int explain(int result, char *error, size_t error_size)
{
	if (result == -EPERM) /* EACCES is the verifier's */
		snprintf(error, error_size,
			 "not allowed to load BPF programs; run as root or with CAP_BPF and "
			 "CAP_PERFMON");
	else if (access("/sys/kernel/btf/vmlinux", R_OK))
		snprintf(error, error_size,
			 "no /sys/kernel/btf/vmlinux; the kernel must be built with "
			 "CONFIG_DEBUG_INFO_BTF");
	else if (result == -EACCES || result == -EINVAL || result == -ESRCH || result == -ENOENT)
		snprintf(error, error_size,
			 "this kernel does not take the programs (%s); Linux 5.15 or later is "
			 "needed, LINGERTRACE_DEBUG=1 in the environment shows libbpf's messages",
			 strerror(-result));
	else
		snprintf(error, error_size, "cannot load the BPF programs: %s", strerror(-result));
	return result;
}

static uint32_t ring_size(size_t bytes)
{
	uint32_t size = (uint32_t)sysconf(_SC_PAGESIZE);

	while (size < bytes && size < 1U << 30)
		size *= 2;
	return size;
}

static void set_filter(struct close_trace__rodata *settings, const struct tracer_filter *filter)
{
	settings->all_ports = !filter->port_count;
	for (size_t i = 0; i < filter->port_count; i++)
		settings->watched_ports[filter->ports[i] / 8] |=
			(uint8_t)(1U << filter->ports[i] % 8);
	settings->watched_family = (uint16_t)filter->family;
	settings->watched_netns = filter->netns;
	settings->watched_cgroup = filter->cgroup;
	settings->watched_pid = filter->pid;
	memcpy((void *)settings->watched_comm, filter->comm, sizeof(filter->comm));
}

/* The places are few beside the room that every connection may have to share. */
static int set_table_size(struct close_trace *skeleton, uint32_t connections)
{
	uint32_t places = connections / 8 + 1;
	int result = bpf_map__set_max_entries(skeleton->maps.connections, connections);

	if (!result && places < bpf_map__max_entries(skeleton->maps.places))
		result = bpf_map__set_max_entries(skeleton->maps.places, places);
	return result;
}

static int configure(struct close_trace *skeleton, const struct tracer_options *options,
		     const struct hook_set *hooks)
{
	uint32_t size = bpf_map__max_entries(skeleton->maps.records);
	int result = 0;

	set_filter(skeleton->rodata, &options->filter);
	hook_set_apply(hooks, options, skeleton);
	skeleton->rodata->has_reset_reason = kernel_tells_reset_reason();
	bpf_program__set_autoload(skeleton->progs.existing, options->existing);
	bpf_program__set_autoattach(skeleton->progs.on_state, false);
	if (options->ring_bytes) {
		size = ring_size(options->ring_bytes);
		result = bpf_map__set_max_entries(skeleton->maps.records, size);
	}
	if (!result && options->connections)
		result = set_table_size(skeleton, options->connections);
	skeleton->rodata->wakeup_bytes = size / 4;
	return result;
}

/* What begins to follow connections comes last: nothing that happens to one of them may go unseen. */
static int attach(struct close_trace *skeleton, const struct hook_set *hooks)
{
	int result = close_trace__attach(skeleton);

	if (!result && hooks->close_events)
		result = close_events_attach(skeleton);
	if (result)
		return result;
	skeleton->links.on_state = bpf_program__attach(skeleton->progs.on_state);
	return skeleton->links.on_state ? 0 : -errno;
}

/* One of the sets of hooks, loaded and attached. */
static int load_set(struct close_trace **ret, struct places *ret_places,
		    const struct tracer_options *options, const struct hook_set *hooks)
{
	struct close_trace *skeleton = close_trace__open();
	struct places places = { 0 };
	int result;

	if (!skeleton)
		return -errno;
	result = configure(skeleton, options, hooks);
	if (!result)
		result = close_trace__load(skeleton);
	if (!result)
		result = ring_pages_touch(skeleton);
	if (!result)
		result = places_open(&places, skeleton);
	if (!result)
		result = attach(skeleton, hooks);
	if (result) {
		places_close(&places);
		close_trace__destroy(skeleton);
		return result;
	}
	*ret = skeleton;
	*ret_places = places;
	return 0;
}

/* Whether it is fentry alone that the kernel does not take. */
static int explain_without_fentry(int result, const struct tracer_options *options, char *error,
				  size_t error_size)
{
	const struct hook_set tracepoints = { 0 };
	struct close_trace *skeleton = NULL;
	struct places places = { 0 };
	int other = load_set(&skeleton, &places, options, &tracepoints);

	places_close(&places);
	close_trace__destroy(skeleton);
	if (other)
		return explain(other, error, error_size);
	snprintf(error, error_size,
		 "this kernel does not allow fentry (%s), as under lockdown; tracepoints need less",
		 strerror(-result));
	return result;
}

int loading_run(struct close_trace **ret, struct places *ret_places, struct hook_set *ret_hooks,
		const struct tracer_options *options, char *error, size_t error_size)
{
	struct hook_set hooks;
	int result = -ENOTSUP;

	if (!getenv("LINGERTRACE_DEBUG"))
		libbpf_set_print(print_nothing);
	for (size_t attempt = 0; hook_set_choose(&hooks, options, attempt); attempt++) {
		result = load_set(ret, ret_places, options, &hooks);
		if (!result) {
			*ret_hooks = hooks;
			return 0;
		}
	}
	if (options->hooks == TRACER_HOOKS_FENTRY)
		return explain_without_fentry(result, options, error, error_size);
	return explain(result, error, error_size);
}

/* Lets the kernel walk over its sockets: the program sees each, and writes nothing to be read. */
int loading_follow_existing(const struct close_trace *skeleton)
{
	int fd = bpf_iter_create(bpf_link__fd(skeleton->links.existing));
	int result = 0;
	char nothing[64];
	ssize_t length;

	if (fd < 0)
		return -errno;
	while ((length = read(fd, nothing, sizeof(nothing)))) {
		if (length < 0 && errno != EINTR && errno != EAGAIN) {
			result = -errno;
			break;
		}
	}
	close(fd);
	return result;
}
