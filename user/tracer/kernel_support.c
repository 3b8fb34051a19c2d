/* SPDX-License-Identifier: MIT */
#include "tracer/kernel_support.h"

#include <bpf/btf.h>
#include <inttypes.h>
#include <stdio.h>

/* The arguments of a tracepoint, the programs' context among them; 0 when there is no such one. */
static unsigned int tracepoint_arguments(const char *name)
{
	struct btf *btf = btf__load_vmlinux_btf();
	unsigned int count = 0;
	const struct btf_type *type;
	int id;

	if (!btf)
		return 0;
	id = btf__find_by_name_kind(btf, name, BTF_KIND_TYPEDEF);
	type = id < 0 ? NULL : btf__type_by_id(btf, (__u32)id);
	if (type)
		type = btf__type_by_id(btf, type->type); /* a pointer */
	if (type)
		type = btf__type_by_id(btf, type->type);
	if (type && btf_is_func_proto(type))
		count = btf_vlen(type);
	btf__free(btf);
	return count;
}

/* To those who may not see them, all addresses of the kernel read as 0. */
static bool addresses_are_visible(void)
{
	FILE *symbols = fopen("/proc/kallsyms", "re");
	uint64_t address = 0;

	if (!symbols)
		return false;
	while (!address && fscanf(symbols, "%" SCNx64 "%*[^\n]", &address) == 1)
		;
	fclose(symbols);
	return address != 0;
}

bool kernel_shows_mini_sockets(void)
{
	return tracepoint_arguments("btf_trace_kfree_skb") == 5 && addresses_are_visible();
}

bool kernel_tells_reset_reason(void)
{
	return tracepoint_arguments("btf_trace_tcp_send_reset") == 4;
}
