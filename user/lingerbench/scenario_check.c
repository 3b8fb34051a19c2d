/* SPDX-License-Identifier: MIT */
#include "lingerbench/scenario_check.h"

#include <stdio.h>
#include <string.h>

/* The strategy of the scenario's server; NAME_again is NAME once more. *ret_again says whether it was that. */
static const struct strategy *find_strategy(const struct scenario *scenario, const char *name,
					    bool *ret_again)
{
	static const char suffix[] = "_again";
	size_t length = strlen(name), suffix_length = strlen(suffix);
	char base[sizeof(scenario->strategy_names->name)];

	*ret_again = length > suffix_length && length < sizeof(base) &&
		     !strcmp(name + length - suffix_length, suffix);
	if (*ret_again)
		length -= suffix_length;
	snprintf(base, sizeof(base), "%.*s", (int)length, name);
	return program_find_strategy(scenario->program, base);
}

/* An A/A arm is a strategy of its own in all but what it does. */
static bool resolve_strategies(struct scenario *scenario)
{
	bool right = true, again;

	for (size_t i = 0; i < scenario->strategy_count; i++) {
		const struct strategy_name *name = &scenario->strategy_names[i];
		const struct strategy *strategy = find_strategy(scenario, name->name, &again);

		if (!strategy) {
			right = inifile_complain(name->place,
						 "no strategy is called \"%s\"; see \"lingerbench "
						 "list\" for those of %s",
						 name->name, scenario->program->name);
			continue;
		}
		if (again) {
			scenario->repeated[i] = *strategy;
			scenario->repeated[i].name = name->name;
			strategy = &scenario->repeated[i];
		}
		scenario->strategies[i] = strategy;
	}
	return right;
}

static bool check_figure_name(struct scenario *scenario, struct inifile_place place,
			      const struct figure_name *name)
{
	bool right = true, again;

	if (strcmp(name->strategy, "*") && !find_strategy(scenario, name->strategy, &again))
		right = inifile_complain(place, "no strategy is called \"%s\"", name->strategy);
	if (strcmp(name->peer, "*") && !scenario_find_peer(scenario, name->peer))
		right = inifile_complain(place, "no peer is called \"%s\"", name->peer);
	return right;
}

static bool check_expectations(struct scenario *scenario)
{
	bool right = true;

	for (size_t i = 0; i < scenario->expectation_count; i++) {
		const struct expectation *expectation = &scenario->expectations[i];

		right &= check_figure_name(scenario, expectation->place, &expectation->figure);
		if (expectation->is_relative)
			right &= check_figure_name(scenario, expectation->place,
						   &expectation->other);
	}
	return right;
}

bool scenario_check(struct scenario *scenario)
{
	struct inifile_place place = { .file = scenario->path };
	bool right = true;

	if (!scenario->strategy_count)
		right = inifile_complain(place, "[strategies] use = names no strategy");
	if (!scenario->peer_count)
		right = inifile_complain(place, "[peers] use = names no peer");
	if (scenario->clients > scenario->connections)
		scenario->clients = scenario->connections;
	for (size_t i = 0; i < scenario->peer_count; i++) {
		scenario->peers[i] = scenario_find_peer(scenario, scenario->peer_names[i]);
		if (!scenario->peers[i])
			right = inifile_complain(place,
						 "no peer is called \"%s\"; see \"lingerbench "
						 "list\"",
						 scenario->peer_names[i]);
	}
	right &= resolve_strategies(scenario);
	right &= check_expectations(scenario);
	return right;
}
