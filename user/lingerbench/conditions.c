/* SPDX-License-Identifier: MIT */
#include "lingerbench/conditions.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Of run.json; the rest of it (times, counters, warnings, trials) differs between any two runs. */
static const char *const parts[] = {
	"version", "commit", "scenario", "trace", "environment", NULL
};

/* Where the scenario came from and how it calls itself, and what the tracer met. */
static const char *const besides[] = { "scenario.path",	       "scenario.title",
				       "trace.records",	       "trace.reason",
				       "trace.lost_ring_full", "trace.lost_map_full",
				       "trace.missed_events",  NULL };

enum { MANY_SYSCTLS = 8 };

static bool is_listed(const char *const *list, const char *name)
{
	for (; *list; list++)
		if (!strcmp(*list, name))
			return true;
	return false;
}

static void compare(json_t *found, const char *name, json_t *a, json_t *b);

static void name_member(char full[256], const char *name, const char *key)
{
	snprintf(full, 256, "%.120s%s%.120s", name, *name ? "." : "", key);
}

/* Those of A, then those that only B has. */
static void compare_members(json_t *found, const char *name, json_t *a, json_t *b)
{
	const char *key;
	json_t *value;
	char full[256];

	json_object_foreach (a, key, value) {
		name_member(full, name, key);
		compare(found, full, value, json_object_get(b, key));
	}
	json_object_foreach (b, key, value) {
		name_member(full, name, key);
		if (!json_object_get(a, key))
			compare(found, full, NULL, value);
	}
}

static size_t count_missing(json_t *object, const json_t *in)
{
	const char *key;
	json_t *value;
	size_t count = 0;

	json_object_foreach (object, key, value)
		count += !json_object_get(in, key);
	return count;
}

/* A network namespace of its own lacks many of the machine's settings: one line is enough for those. */
static void compare_sysctls(json_t *found, const char *name, json_t *a, json_t *b)
{
	size_t only_a = count_missing(a, b), only_b = count_missing(b, a);
	const char *key;
	json_t *value;
	char full[256];

	if (only_a + only_b < MANY_SYSCTLS) {
		compare_members(found, name, a, b);
		return;
	}
	json_object_foreach (a, key, value) {
		name_member(full, name, key);
		if (json_object_get(b, key))
			compare(found, full, value, json_object_get(b, key));
	}
	json_array_append_new(found, json_pack("{s:s s:I s:I}", "name",
					       "settings of the system that only one has", "a",
					       (json_int_t)only_a, "b", (json_int_t)only_b));
}

static void compare(json_t *found, const char *name, json_t *a, json_t *b)
{
	bool is_object = json_is_object(a) || json_is_object(b);

	if (is_listed(besides, name) || (a && b && json_equal(a, b)))
		return;
	if (!strcmp(name, "environment.sysctl") && a && b)
		compare_sysctls(found, name, a, b);
	else if (is_object && (!a || !b || (json_is_object(a) && json_is_object(b))))
		compare_members(found, name, a, b);
	else
		json_array_append_new(found,
				      json_pack("{s:s s:O? s:O?}", "name", name, "a", a, "b", b));
}

json_t *conditions_differ(const json_t *run_a, const json_t *run_b)
{
	json_t *found = json_array();

	for (const char *const *part = parts; *part && found; part++)
		compare(found, *part, json_object_get(run_a, *part), json_object_get(run_b, *part));
	return found;
}

/* Of a counter that did not grow there is none. */
static double counter(const json_t *run, const char *name)
{
	return (double)json_integer_value(json_object_get(json_object_get(run, "counters"), name));
}

bool conditions_others(const json_t *run, double *ret)
{
	double tasks = counter(run, "CpuTasksMs"), steal = counter(run, "CpuStealMs");
	double others = tasks - counter(run, "CpuLabMs");
	double all = tasks + steal + counter(run, "CpuIdleMs") + counter(run, "CpuInterruptsMs");

	if (all <= 0)
		return false;
	*ret = ((others > 0 ? others : 0) + steal) / all;
	return true;
}

struct conditions_trials conditions_trials(const json_t *run)
{
	const json_t *list = json_object_get(run, "trials");
	struct conditions_trials trials = { .done = json_array_size(list) };

	trials.planned = (size_t)json_integer_value(json_object_get(run, "planned_trials"));
	for (size_t i = 0; i < trials.done; i++)
		trials.is_void += json_is_true(json_object_get(json_array_get(list, i), "void"));
	return trials;
}
