/* SPDX-License-Identifier: MIT */
#include "lingerbench/added_hold.h"

#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/quantity.h"

/* Well below the time that a trial waits for its workers in the end. */
enum { MOST_MS = 1000 };

static struct added_hold *find(struct added_holds *holds, const char *strategy)
{
	for (size_t i = 0; i < holds->count; i++)
		if (!strcmp(holds->list[i].strategy, strategy))
			return &holds->list[i];
	return NULL;
}

bool added_hold_take(struct added_holds *holds, struct inifile_place place, const char *strategy,
		     const char *value)
{
	struct added_hold *hold = find(holds, strategy);
	uint64_t ns;

	if (quantity_parse_time(value, 0, MOST_MS, &ns))
		return inifile_complain(place,
					"added-hold.%s = %s: expected a time up to 1s, as "
					"200us or 5ms",
					strategy, value);
	if (strlen(strategy) >= sizeof(hold->strategy))
		return inifile_complain(place, "no strategy is called \"%s\"", strategy);
	if (!hold && holds->count == ADDED_HOLDS_MAX)
		return inifile_complain(place, "more than %d strategies with added-hold",
					ADDED_HOLDS_MAX);
	if (!hold)
		hold = &holds->list[holds->count++];
	hold->ns = ns;
	hold->place = place;
	snprintf(hold->strategy, sizeof(hold->strategy), "%s", strategy);
	return true;
}

uint64_t added_hold_of(const struct added_holds *holds, const char *strategy)
{
	for (size_t i = 0; i < holds->count; i++)
		if (!strcmp(holds->list[i].strategy, strategy))
			return holds->list[i].ns;
	return 0;
}

void added_hold_wait(uint64_t ns)
{
	/* Asleep like a worker that lingers, not busy: it must not cost the others their CPU. */
	if (ns)
		clock_sleep_ns(ns);
}
