/* SPDX-License-Identifier: MIT */
#include "lingerbench/scenario_check.h"

#include <string.h>

#include "lingerbench/expectations_check.h"
#include "lingerbench/scenario_arms.h"

/* Where they should be, if they were said to be somewhere; else the file lacks them. */
static bool check_names(const struct scenario *scenario, const struct names *names,
			const char *complaint)
{
	struct inifile_place file = { .file = scenario->path };

	return names->count ||
	       inifile_complain(names->place.file ? names->place : file, "%s", complaint);
}

static bool resolve_peers(struct scenario *scenario, struct mistakes *mistakes)
{
	bool right = true;

	scenario->peer_count = scenario->peer_names.count;
	for (size_t i = 0; i < scenario->peer_count; i++) {
		const struct name *name = &scenario->peer_names.list[i];

		scenario->peers[i] = scenario_find_peer(scenario, name->text);
		if (scenario->peers[i])
			continue;
		right = false;
		if (mistakes_is_new(mistakes, name->text))
			inifile_complain(name->place,
					 "no peer is called \"%s\"; see \"lingerbench list\"",
					 name->text);
	}
	return right;
}

static bool check_added_hold(const struct scenario *scenario, struct mistakes *mistakes,
			     const struct added_hold *hold)
{
	const struct program *builtin = programs[0];
	char servers[256];
	struct arm arm;

	if (scenario->has_unknown_server)
		return true;
	if (!scenario_knows_server(scenario, builtin)) {
		scenario_name_servers(scenario, ", ", servers, sizeof(servers));
		return inifile_complain(hold->place,
					"added-hold.%s: workers of %s are not the lab's, and "
					"cannot be held",
					hold->strategy, servers);
	}
	/* One that is not in use now is not missed: lists can be narrowed with --set. */
	return arm_make(&arm, builtin, hold->strategy) ||
	       !mistakes_is_new(mistakes, hold->strategy) ||
	       inifile_complain(hold->place, "no strategy is called \"%s\"", hold->strategy);
}

static bool check_added_holds(const struct scenario *scenario, struct mistakes *mistakes)
{
	bool right = true;

	for (size_t i = 0; i < scenario->added_holds.count; i++)
		right &= check_added_hold(scenario, mistakes, &scenario->added_holds.list[i]);
	return right;
}

static bool check_arrivals(const struct scenario *scenario, struct inifile_place place)
{
	if (scenario->arrivals != ARRIVALS_CLOSED && !scenario->rate)
		return inifile_complain(place,
					"[load] arrivals = %s takes a rate, as rate = 500 (a "
					"second)",
					arrivals_name(scenario->arrivals));
	if (scenario->arrivals == ARRIVALS_CLOSED && scenario->rate)
		return inifile_complain(place, "[load] rate is of an open loop: it takes arrivals "
					       "= constant or poisson");
	return true;
}

bool scenario_check(struct scenario *scenario)
{
	struct inifile_place place = { .file = scenario->path };
	struct scenario_mistakes mistakes = { 0 };
	bool right = true;

	if (!*scenario->name || *scenario->name == '.')
		right = inifile_complain(place,
					 "its results would be in a hidden folder; give the file "
					 "another name");
	if (!strcmp(scenario->name, "latest"))
		right = inifile_complain(place,
					 "its results would take the place of the link to the "
					 "latest run; give the file another name");
	right &= check_names(scenario, &scenario->strategy_names,
			     "[strategies] use = names no strategy");
	right &= check_names(scenario, &scenario->peer_names, "[peers] use = names no peer");
	right &= check_arrivals(scenario, place);
	right &= path_settings_check(&scenario->link, place);
	if (scenario->clients > scenario->connections)
		scenario->clients = scenario->connections;
	right &= resolve_peers(scenario, &mistakes.peers);
	right &= scenario_arms_make(scenario, &mistakes);
	right &= check_added_holds(scenario, &mistakes.strategies);
	right &= expectations_check(scenario, &mistakes);
	return right;
}
