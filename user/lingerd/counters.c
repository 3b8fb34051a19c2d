/* SPDX-License-Identifier: MIT */
#include "lingerd/counters.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	const char *meaning;
	size_t offset;
} table[] = {
#define COUNTERS_ROW(name, meaning) { #name, meaning, offsetof(struct counters, name) },
	COUNTERS(COUNTERS_ROW)
#undef COUNTERS_ROW
};

enum { COUNTERS_COUNT = sizeof(table) / sizeof(table[0]) };

/* The longest name, a blank, 20 digits, a line end. */
_Static_assert(COUNTERS_COUNT *(32 + 1 + 20 + 1) < COUNTERS_TEXT_MAX, "a status answer must fit");

static uint64_t value_at(const struct counters *counters, size_t row)
{
	uint64_t value;

	memcpy(&value, (const char *)counters + table[row].offset, sizeof(value));
	return value;
}

size_t counters_format(const struct counters *counters, char text[COUNTERS_TEXT_MAX])
{
	size_t used = 0;

	for (size_t i = 0; i < COUNTERS_COUNT; i++)
		used += (size_t)snprintf(text + used, COUNTERS_TEXT_MAX - used, "%s %" PRIu64 "\n",
					 table[i].name, value_at(counters, i));
	return used;
}

void counters_format_ends(const struct counters *counters, char text[COUNTERS_TEXT_MAX])
{
	static const char prefix[] = "ended_";
	size_t used = 0;

	for (size_t i = 0; i < COUNTERS_COUNT; i++) {
		uint64_t value = value_at(counters, i);

		if (!value || strncmp(table[i].name, prefix, strlen(prefix)) != 0)
			continue;
		used += (size_t)snprintf(text + used, COUNTERS_TEXT_MAX - used, "%s%" PRIu64 " %s",
					 used ? ", " : "", value, table[i].name + strlen(prefix));
	}
	strcpy(text + used, used ? "" : "none");
	for (char *c = text; *c; c++)
		if (*c == '_')
			*c = ' ';
}

const char *counters_meaning(const char *name)
{
	for (size_t i = 0; i < COUNTERS_COUNT; i++)
		if (!strcmp(name, table[i].name))
			return table[i].meaning;
	return NULL;
}
