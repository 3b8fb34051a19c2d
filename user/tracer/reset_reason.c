/* SPDX-License-Identifier: MIT */
#include "tracer/reset_reason.h"

#include <bpf/btf.h>
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define PREFIX "SK_RST_REASON_"

enum { REASONS_MOST = 64, NAME_SIZE = 48 };

static char names[REASONS_MOST][NAME_SIZE];

static void take_names(const struct btf *btf, const struct btf_type *type)
{
	const struct btf_enum *values = btf_enum(type);

	for (unsigned int i = 0; i < btf_vlen(type); i++) {
		const char *name = btf__name_by_offset(btf, values[i].name_off);

		/* The last one counts the others. */
		if (!name || strncmp(name, PREFIX, strlen(PREFIX)) != 0 ||
		    !strcmp(name, PREFIX "MAX") || values[i].val < 0 ||
		    values[i].val >= REASONS_MOST)
			continue;
		snprintf(names[values[i].val], NAME_SIZE, "%s", name + strlen(PREFIX));
		for (char *c = names[values[i].val]; *c; c++)
			*c = (char)tolower((unsigned char)*c);
	}
}

static void load_names(void)
{
	struct btf *btf = btf__load_vmlinux_btf();
	int id;

	if (!btf)
		return;
	id = btf__find_by_name_kind(btf, "sk_rst_reason", BTF_KIND_ENUM);
	if (id > 0)
		take_names(btf, btf__type_by_id(btf, (__u32)id));
	btf__free(btf);
}

const char *reset_reason_name(uint32_t reason)
{
	static bool loaded;

	if (reason >= REASONS_MOST)
		return NULL;
	if (!loaded) {
		load_names();
		loaded = true;
	}
	return names[reason][0] ? names[reason] : NULL;
}
