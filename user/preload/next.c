/* SPDX-License-Identifier: MIT */
#include "preload/next.h"

#include <dlfcn.h>
#include <string.h>

static struct next_calls found;

static void find(void *ret_function, const char *name)
{
	void *function = dlsym(RTLD_NEXT, name);

	memcpy(ret_function, &function, sizeof(function));
}

bool next_is_complete(void)
{
	return !dlsym(RTLD_NEXT, "__fcntl_time64");
}

const struct next_calls *next(void)
{
#define FIND(name) find(&found.name, #name);
	if (!found.close) {
		NEXT_CALLS(FIND)
	}
#undef FIND
	return &found;
}
