/* SPDX-License-Identifier: MIT */
#include "lingerbench/scenario_arms.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

static bool is_among(const struct program *const *servers, size_t count,
		     const struct program *program)
{
	for (size_t i = 0; i < count; i++)
		if (servers[i] == program)
			return true;
	return false;
}

/* In so many of a list, or up to its NULL. */
static bool any_has(const struct program *const *servers, size_t count, const char *strategy)
{
	struct arm arm;

	for (size_t i = 0; i < count && servers[i]; i++)
		if (arm_make(&arm, servers[i], strategy))
			return true;
	return false;
}

static bool find_server(struct scenario *scenario, struct mistakes *mistakes,
			const struct name *name)
{
	const struct program *program = program_find(name->text);

	if (!program) {
		scenario->has_unknown_server = true;
		mistakes_is_new(mistakes, name->text);
		return inifile_complain(name->place,
					"no server is called \"%s\"; see \"lingerbench list\"",
					name->text);
	}
	if (is_among(scenario->servers, scenario->server_count, program))
		return inifile_complain(name->place, "server %s stands here twice", name->text);
	scenario->servers[scenario->server_count++] = program;
	return true;
}

static bool find_servers(struct scenario *scenario, struct mistakes *mistakes)
{
	bool right = true;

	for (size_t i = 0; i < scenario->server_names.count; i++)
		right &= find_server(scenario, mistakes, &scenario->server_names.list[i]);
	scenario->known_server_count = scenario->server_count;
	for (size_t i = 0; i < scenario->file_servers.count; i++) {
		const struct program *program = program_find(scenario->file_servers.list[i].text);

		if (program && !scenario_knows_server(scenario, program))
			scenario->servers[scenario->known_server_count++] = program;
	}
	return right;
}

bool scenario_knows_server(const struct scenario *scenario, const struct program *program)
{
	return is_among(scenario->servers, scenario->known_server_count, program);
}

bool scenario_knows_strategy(const struct scenario *scenario, const char *name)
{
	return any_has(scenario->servers, scenario->known_server_count, name) ||
	       (scenario->has_unknown_server && any_has(programs, SIZE_MAX, name));
}

static bool is_from_file(const struct name *name)
{
	return name->place.line > 0;
}

static bool check_strategy(const struct scenario *scenario, struct mistakes *mistakes,
			   const struct name *name)
{
	char servers[256] = "each server";

	if (any_has(scenario->servers, scenario->server_count, name->text))
		return true;
	if ((is_from_file(name) || scenario->has_unknown_server) &&
	    scenario_knows_strategy(scenario, name->text))
		return true;
	mistakes_is_new(mistakes, name->text);
	if (scenario->server_count)
		scenario_name_servers(scenario, ", ", servers, sizeof(servers));
	return inifile_complain(name->place,
				"no strategy is called \"%s\"; see \"lingerbench list\" for those "
				"of %s",
				name->text, servers);
}

static bool check_strategies(const struct scenario *scenario, struct mistakes *mistakes)
{
	bool right = true;

	for (size_t i = 0; i < scenario->strategy_names.count; i++)
		right &= check_strategy(scenario, mistakes, &scenario->strategy_names.list[i]);
	return right;
}

static bool add_arms(struct scenario *scenario, const struct program *program,
		     struct inifile_place place)
{
	for (size_t i = 0; i < scenario->strategy_names.count; i++) {
		struct arm arm;

		if (!arm_make(&arm, program, scenario->strategy_names.list[i].text))
			continue;
		if (scenario->arm_count == SCENARIO_MAX_ARMS)
			return inifile_complain(place,
						"more than %d pairs of a server and a strategy",
						SCENARIO_MAX_ARMS);
		scenario->arms[scenario->arm_count++] = arm;
	}
	return true;
}

/* From those that are run to those that are only known. */
static void leave_out(struct scenario *scenario, const struct program *program)
{
	size_t i = 0;

	while (scenario->servers[i] != program)
		i++;
	memmove(&scenario->servers[i], &scenario->servers[i + 1],
		(--scenario->server_count - i) * sizeof(scenario->servers[0]));
	scenario->servers[scenario->server_count] = program;
}

static bool pair_server(struct scenario *scenario, const struct name *name)
{
	const struct program *program = program_find(name->text);
	size_t before = scenario->arm_count;

	if (!program)
		return true; /* it has been complained of */
	if (!add_arms(scenario, program, name->place))
		return false;
	if (scenario->arm_count > before)
		return true;
	if (!is_from_file(name) || is_from_file(&scenario->strategy_names.list[0]))
		return inifile_complain(name->place,
					"%s has none of the strategies in use; see \"lingerbench "
					"list\" for those it has",
					name->text);
	leave_out(scenario, program);
	return true;
}

static void label_arms(struct scenario *scenario)
{
	for (size_t i = 0; i < scenario->arm_count; i++) {
		struct arm *arm = &scenario->arms[i];
		bool several = scenario->server_count > 1;

		snprintf(arm->label, sizeof(arm->label), "%s%s%s",
			 several ? program_label(arm->program) : "", several ? "/" : "",
			 arm->strategy.name);
	}
}

bool scenario_arms_make(struct scenario *scenario, struct scenario_mistakes *mistakes)
{
	bool right = find_servers(scenario, &mistakes->servers);

	/* A server would be said to have none of them when they are only misspelt. */
	if (!check_strategies(scenario, &mistakes->strategies) || !scenario->strategy_names.count)
		return false;
	for (size_t i = 0; i < scenario->server_names.count; i++)
		right &= pair_server(scenario, &scenario->server_names.list[i]);
	label_arms(scenario);
	return right;
}
