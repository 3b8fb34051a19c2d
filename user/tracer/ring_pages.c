/* SPDX-License-Identifier: MIT */
#include "tracer/ring_pages.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>

#include "close_trace.skel.h"

enum { PAGE = 4096 }; /* as in the kernel side's records.h */

static int ignore(void *context, void *data, size_t size)
{
	(void)context;
	(void)data;
	(void)size;
	return 0;
}

int ring_pages_touch(const struct close_trace *skeleton)
{
	const struct bpf_map *map = skeleton->maps.records;
	struct ring_buffer *ring = ring_buffer__new(bpf_map__fd(map), ignore, NULL, NULL);
	int result = ring ? 0 : -errno;

	for (uint32_t at = 0; !result && at < bpf_map__max_entries(map); at += PAGE) {
		struct bpf_test_run_opts run = { .sz = sizeof(run) };

		result = bpf_prog_test_run_opts(bpf_program__fd(skeleton->progs.touch_ring), &run);
		if (!result)
			result = ring_buffer__consume(ring);
	}
	ring_buffer__free(ring);
	return result < 0 ? result : 0;
}
