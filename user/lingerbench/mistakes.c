/* SPDX-License-Identifier: MIT */
#include "lingerbench/mistakes.h"

#include <string.h>

bool mistakes_is_new(struct mistakes *mistakes, const char *name)
{
	for (size_t i = 0; i < mistakes->count; i++)
		if (!strcmp(mistakes->names[i], name))
			return false;
	if (mistakes->count < MISTAKES_MAX)
		mistakes->names[mistakes->count++] = name;
	return true;
}
