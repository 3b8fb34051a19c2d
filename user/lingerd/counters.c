/* SPDX-License-Identifier: MIT */
#include "lingerd/counters.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum {
	CAUSE_AT_GAUGE = 0,
	CAUSE_AT_COUNT = 0,
	CAUSE_AT_END = sizeof("ended_") - 1,
	CAUSE_AT_REFUSAL = sizeof("refused_") - 1,
};

const struct counter counters_table[COUNTERS_COUNT] = {
#define COUNTERS_ROW(kind, name, meaning)                                                          \
	{ #name, &#name[CAUSE_AT_##kind], meaning, COUNTER_##kind },
	COUNTERS(COUNTERS_ROW)
#undef COUNTERS_ROW
};

/* The longest name, a blank, 20 digits, a line end. */
_Static_assert(COUNTERS_COUNT *(32 + 1 + 20 + 1) < COUNTERS_TEXT_MAX, "a status answer must fit");

uint64_t counters_value(const struct counters *counters, size_t row)
{
	uint64_t value;

	memcpy(&value, (const char *)counters + row * sizeof(value), sizeof(value));
	return value;
}

static void set_value(struct counters *counters, size_t row, uint64_t value)
{
	memcpy((char *)counters + row * sizeof(value), &value, sizeof(value));
}

size_t counters_format(const struct counters *counters, char text[COUNTERS_TEXT_MAX])
{
	size_t used = 0;

	for (size_t i = 0; i < COUNTERS_COUNT; i++)
		used += (size_t)snprintf(text + used, COUNTERS_TEXT_MAX - used, "%s %" PRIu64 "\n",
					 counters_table[i].name, counters_value(counters, i));
	return used;
}

void counters_format_ends(const struct counters *counters, char text[COUNTERS_TEXT_MAX])
{
	size_t used = 0;

	for (size_t i = 0; i < COUNTERS_COUNT; i++) {
		uint64_t value = counters_value(counters, i);

		if (!value || counters_table[i].kind != COUNTER_END)
			continue;
		used += (size_t)snprintf(text + used, COUNTERS_TEXT_MAX - used, "%s%" PRIu64 " %s",
					 used ? ", " : "", value, counters_table[i].cause);
	}
	strcpy(text + used, used ? "" : "none");
	for (char *c = text; *c; c++)
		if (*c == '_')
			*c = ' ';
}

/* COUNTERS_COUNT: there is none. */
static size_t row_of(const char *name)
{
	size_t row = 0;

	while (row < COUNTERS_COUNT && strcmp(name, counters_table[row].name) != 0)
		row++;
	return row;
}

const char *counters_meaning(const char *name)
{
	size_t row = row_of(name);

	return row < COUNTERS_COUNT ? counters_table[row].meaning : NULL;
}

void counters_set(struct counters *counters, const char *name, uint64_t value)
{
	size_t row = row_of(name);

	if (row < COUNTERS_COUNT)
		set_value(counters, row, value);
}

void counters_add(struct counters *to, const struct counters *more)
{
	for (size_t i = 0; i < COUNTERS_COUNT; i++)
		set_value(to, i, counters_value(to, i) + counters_value(more, i));
}

uint64_t counters_sum(const struct counters *counters, enum counter_kind kind)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < COUNTERS_COUNT; i++)
		if (counters_table[i].kind == kind)
			sum += counters_value(counters, i);
	return sum;
}

/* What a daemon has passed on it takes back when nobody wants it. */
static bool may_go_back(size_t row)
{
	return counters_table[row].kind == COUNTER_GAUGE ||
	       row == offsetof(struct counters, passed_on) / sizeof(uint64_t);
}

static bool have_gone_back(const struct counters *now, const struct counters *before)
{
	for (size_t i = 0; i < COUNTERS_COUNT; i++)
		if (!may_go_back(i) && counters_value(now, i) < counters_value(before, i))
			return true;
	return false;
}

static uint64_t growth(uint64_t now, uint64_t before)
{
	return now > before ? now - before : 0;
}

void counters_since(const struct counters *now, const struct counters *before, struct counters *ret)
{
	struct counters since = *now;
	bool new = have_gone_back(now, before);

	for (size_t i = 0; i < COUNTERS_COUNT && !new; i++)
		if (counters_table[i].kind != COUNTER_GAUGE)
			set_value(&since, i,
				  growth(counters_value(now, i), counters_value(before, i)));
	*ret = since;
}
