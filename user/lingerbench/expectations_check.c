/* SPDX-License-Identifier: MIT */
#include "lingerbench/expectations_check.h"

#include <string.h>

#include "lingerbench/scenario_arms.h"
#include "lingerbench/scenario_check.h"

struct check {
	struct scenario *scenario;
	struct scenario_mistakes *mistakes;
	struct inifile_place place;
};

static bool has(const struct program *program, const char *strategy)
{
	struct arm arm;

	return expectation_is_any(strategy) || arm_make(&arm, program, strategy);
}

static bool check_server(const struct check *check, const char *name)
{
	const struct program *program = program_find(name);
	char servers[256];

	if (expectation_is_any(name) ||
	    (program && (scenario_knows_server(check->scenario, program) ||
			 check->scenario->has_unknown_server)))
		return true;
	if (!mistakes_is_new(&check->mistakes->servers, name))
		return false;
	if (!program)
		return inifile_complain(check->place, "no server is called \"%s\"", name);
	scenario_name_servers(check->scenario, ", ", servers, sizeof(servers));
	return inifile_complain(check->place, "%s is none of the scenario's servers: %s", name,
				servers);
}

static bool is_somebodys(const char *strategy)
{
	for (size_t i = 0; programs[i]; i++)
		if (has(programs[i], strategy))
			return true;
	return false;
}

/* Of a server that is wrong itself, only what nobody has is wrong, too. */
static bool check_strategy(const struct check *check, const char *server, bool right_server,
			   const char *name)
{
	const struct program *program = right_server ? program_find(server) : NULL;
	bool known =
		right_server ? scenario_knows_strategy(check->scenario, name) : is_somebodys(name);

	if (!expectation_is_any(name) && !known)
		return mistakes_is_new(&check->mistakes->strategies, name) &&
		       inifile_complain(check->place, "no strategy is called \"%s\"", name);
	if (!program || has(program, name))
		return true;
	return inifile_complain(check->place, "%s has no strategy \"%s\"; see \"lingerbench list\"",
				server, name);
}

static bool check_peer(const struct check *check, const char *name)
{
	if (expectation_is_any(name) || scenario_find_peer(check->scenario, name))
		return true;
	return mistakes_is_new(&check->mistakes->peers, name) &&
	       inifile_complain(check->place, "no peer is called \"%s\"", name);
}

/* Of that server, or each. */
static bool check_figure(const struct check *check, const struct figure_name *figure,
			 const char *server)
{
	bool right_server = check_server(check, server);
	bool right = check_strategy(check, server, right_server, figure->strategy);

	return check_peer(check, figure->peer) && right && right_server;
}

/* Where no server is named, both are of the same one. */
static bool check_both(const struct check *check, const struct figure_name *figure,
		       const struct figure_name *other)
{
	const struct scenario *scenario = check->scenario;

	if (!expectation_is_any(figure->server) || !expectation_is_any(other->server) ||
	    scenario->has_unknown_server)
		return true;
	for (size_t i = 0; i < scenario->known_server_count; i++) {
		const struct program *program = scenario->servers[i];

		if (has(program, figure->strategy) && has(program, other->strategy))
			return true;
	}
	return inifile_complain(check->place,
				"no server has both %s and %s; say whose the latter is, as "
				"SERVER/%s",
				figure->strategy, other->strategy, other->strategy);
}

static bool check_one(const struct check *check, const struct expectation *expectation)
{
	const struct figure_name *figure = &expectation->figure, *other = &expectation->other;
	bool right = check_figure(check, figure, figure->server);

	if (!expectation->is_relative)
		return right;
	right &= check_figure(check, other,
			      expectation_is_any(other->server) ? figure->server : other->server);
	return right && check_both(check, figure, other);
}

bool expectations_check(struct scenario *scenario, struct scenario_mistakes *mistakes)
{
	bool right = true;

	for (size_t i = 0; i < scenario->expectation_count; i++) {
		const struct check check = { scenario, mistakes, scenario->expectations[i].place };

		right &= check_one(&check, &scenario->expectations[i]);
	}
	return right;
}
