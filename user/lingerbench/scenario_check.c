/* SPDX-License-Identifier: MIT */
#include "lingerbench/scenario_check.h"

#include <stdio.h>
#include <string.h>

/* Names that have been complained of: what [strategies] or [peers] has wrong is often in [expect], too. */
struct mistakes {
	const char *names[2 * NAMES_MAX + ADDED_HOLDS_MAX + 2 * SCENARIO_MAX_EXPECTATIONS];
	size_t count;
};

static bool is_new(struct mistakes *mistakes, const char *name)
{
	for (size_t i = 0; i < mistakes->count; i++)
		if (!strcmp(mistakes->names[i], name))
			return false;
	mistakes->names[mistakes->count++] = name;
	return true;
}

/* What a name may have behind that of its strategy. */
static const struct suffix {
	const char *text;
	bool untraced;
	enum strategy_fault fault;
} suffixes[] = {
	{ "", false, STRATEGY_FAULTLESS },
	{ "_again", false, STRATEGY_FAULTLESS },   /* once more: an A/A arm */
	{ "_untraced", true, STRATEGY_FAULTLESS }, /* once more, with the tracer off */
	{ "_killed", false, STRATEGY_KILLS_LINGERD },
	{ "_stopped", false, STRATEGY_STOPS_LINGERD },
};

/* The strategy of the scenario's server that this is the name of, but for a suffix. */
static const struct strategy *find_strategy(const struct scenario *scenario, const char *name,
					    const struct suffix **ret)
{
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		size_t length = strlen(name), suffix_length = strlen(suffixes[i].text);
		char base[NAME_SIZE];
		const struct strategy *strategy;

		if (length <= suffix_length ||
		    strcmp(name + length - suffix_length, suffixes[i].text) != 0)
			continue;
		snprintf(base, sizeof(base), "%.*s", (int)(length - suffix_length), name);
		strategy = program_find_strategy(scenario->program, base);
		*ret = &suffixes[i];
		/* Without a lingerd nothing can happen to it. */
		if (strategy && (!suffixes[i].fault || strategy->needs_lingerd))
			return strategy;
	}
	return NULL;
}

/* An arm of its own in all but what it does. */
static bool resolve_strategies(struct scenario *scenario, struct mistakes *mistakes)
{
	const struct suffix *suffix;
	bool right = true;

	scenario->arm_count = scenario->strategy_names.count;
	for (size_t i = 0; i < scenario->arm_count; i++) {
		const struct name *name = &scenario->strategy_names.list[i];
		const struct strategy *strategy = find_strategy(scenario, name->text, &suffix);

		if (!strategy) {
			is_new(mistakes, name->text);
			right = inifile_complain(name->place,
						 "no strategy is called \"%s\"; see \"lingerbench "
						 "list\" for those of %s",
						 name->text, scenario->program->name);
			continue;
		}
		scenario->arms[i] =
			(struct arm){ .program = scenario->program, .strategy = *strategy };
		scenario->arms[i].strategy.name = name->text;
		scenario->arms[i].strategy.untraced = suffix->untraced;
		scenario->arms[i].strategy.fault = suffix->fault;
	}
	return right;
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
		if (is_new(mistakes, name->text))
			inifile_complain(name->place,
					 "no peer is called \"%s\"; see \"lingerbench list\"",
					 name->text);
	}
	return right;
}

/* Of a strategy that is not in use now, none is missed: lists can be narrowed with --set. */
static bool check_added_holds(const struct scenario *scenario, struct mistakes *mistakes)
{
	const struct added_holds *holds = &scenario->added_holds;
	const struct suffix *suffix;
	bool right = true;

	for (size_t i = 0; i < holds->count; i++) {
		const struct added_hold *hold = &holds->list[i];

		if (!program_is_builtin(scenario->program)) {
			right = inifile_complain(hold->place,
						 "added-hold.%s: workers of %s are not the lab's, "
						 "and cannot be held",
						 hold->strategy, scenario->program->name);
		} else if (!find_strategy(scenario, hold->strategy, &suffix)) {
			right = false;
			if (is_new(mistakes, hold->strategy))
				inifile_complain(hold->place, "no strategy is called \"%s\"",
						 hold->strategy);
		}
	}
	return right;
}

struct check {
	struct scenario *scenario;
	struct mistakes strategies, peers;
};

static bool check_figure_name(struct check *check, struct inifile_place place,
			      const struct figure_name *name)
{
	const struct suffix *suffix;
	bool right = true;

	if (strcmp(name->strategy, "*") && check->scenario->program &&
	    !find_strategy(check->scenario, name->strategy, &suffix)) {
		right = false;
		if (is_new(&check->strategies, name->strategy))
			inifile_complain(place, "no strategy is called \"%s\"", name->strategy);
	}
	if (strcmp(name->peer, "*") && !scenario_find_peer(check->scenario, name->peer)) {
		right = false;
		if (is_new(&check->peers, name->peer))
			inifile_complain(place, "no peer is called \"%s\"", name->peer);
	}
	return right;
}

static bool check_expectations(struct check *check)
{
	const struct scenario *scenario = check->scenario;
	bool right = true;

	for (size_t i = 0; i < scenario->expectation_count; i++) {
		const struct expectation *expectation = &scenario->expectations[i];

		right &= check_figure_name(check, expectation->place, &expectation->figure);
		if (expectation->is_relative)
			right &= check_figure_name(check, expectation->place, &expectation->other);
	}
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
	struct check check = { .scenario = scenario };
	bool right = true;

	if (!scenario->strategy_names.count)
		right = inifile_complain(place, "[strategies] use = names no strategy");
	if (!scenario->peer_names.count)
		right = inifile_complain(place, "[peers] use = names no peer");
	right &= check_arrivals(scenario, place);
	right &= path_settings_check(&scenario->link, place);
	if (scenario->clients > scenario->connections)
		scenario->clients = scenario->connections;
	right &= resolve_peers(scenario, &check.peers);
	/* An unknown server has been complained of, and has no strategies. */
	if (scenario->program) {
		right &= resolve_strategies(scenario, &check.strategies);
		right &= check_added_holds(scenario, &check.strategies);
	}
	right &= check_expectations(&check);
	return right;
}
