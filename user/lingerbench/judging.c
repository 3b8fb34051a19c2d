/* SPDX-License-Identifier: MIT */
#include "lingerbench/judging.h"

#include <stdio.h>
#include <string.h>

#include "common/log.h"

static bool holds(double value, const char *operator, double limit)
{
	if (!strcmp(operator, "<"))
		return value < limit;
	if (!strcmp(operator, "<="))
		return value <= limit;
	if (!strcmp(operator, ">"))
		return value > limit;
	if (!strcmp(operator, ">="))
		return value >= limit;
	return value == limit;
}

static bool matches(const char *wanted, const char *name)
{
	return !strcmp(wanted, "*") || !strcmp(wanted, name);
}

static bool is_run(const struct scenario *scenario, const struct figure_name *name)
{
	bool strategy = false, peer = false;

	for (size_t i = 0; i < scenario->arm_count; i++)
		strategy |= matches(name->strategy, scenario->arms[i].strategy.name);
	for (size_t i = 0; i < scenario->peer_count; i++)
		peer |= matches(name->peer, scenario->peers[i]->name);
	return strategy && peer;
}

/* What the tracer alone knows. */
static bool is_traced(const char *column)
{
	return !strcmp(column, "traced") || !strncmp(column, "fin_wait_2_", 11);
}

/*
 * Lists can be narrowed with --set, and the tracer be switched off; what is not run is not judged. A tracer that was
 * to run and could not is something else: what it was to tell is not known, and that is judged.
 */
static bool is_judged(const struct scenario *scenario, const struct expectation *expectation)
{
	const struct figure_name *figure = &expectation->figure, *other = &expectation->other;

	if (!is_run(scenario, figure) || (!scenario->trace && is_traced(figure->column)))
		return false;
	return !expectation->is_relative ||
	       (is_run(scenario, other) && (scenario->trace || !is_traced(other->column)));
}

static const char *or_same(const char *name, const char *same)
{
	return strcmp(name, "*") ? name : same;
}

/* What the figure of this row is compared with. False: not known. */
static bool limit_for(const struct csvtable *summary, size_t row,
		      const struct expectation *expectation, double *ret)
{
	const struct figure_name *other = &expectation->other;
	const char *strategy = or_same(other->strategy, csvtable_text(summary, row, "strategy"));
	const char *peer = or_same(other->peer, csvtable_text(summary, row, "peer"));
	double value;

	*ret = expectation->limit;
	if (!expectation->is_relative)
		return true;
	for (size_t i = 0; i < summary->row_count; i++) {
		if (strcmp(strategy, csvtable_text(summary, i, "strategy")) ||
		    strcmp(peer, csvtable_text(summary, i, "peer")))
			continue;
		if (!csvtable_number(summary, i, other->column, &value))
			return false;
		*ret = expectation->limit * value;
		return true;
	}
	return false;
}

static void say_broken(const struct csvtable *summary, size_t row,
		       const struct expectation *expectation, const double *limit)
{
	const struct figure_name *other = &expectation->other;
	const char *text = csvtable_text(summary, row, expectation->figure.column);
	char relative[160] = "", known[48] = "";

	if (expectation->is_relative)
		snprintf(relative, sizeof(relative), " * %s.%s.%s", other->strategy, other->peer,
			 other->column);
	if (expectation->is_relative && limit)
		snprintf(known, sizeof(known), " = %g", *limit);
	else if (expectation->is_relative)
		snprintf(known, sizeof(known), ", which is not known");
	log_error("expected %s.%s.%s %s %g%s%s, it is %s", csvtable_text(summary, row, "strategy"),
		  csvtable_text(summary, row, "peer"), expectation->figure.column,
		  expectation->operator, expectation->limit, relative, known,
		  *text ? text : "not known");
}

/* Its row has nothing of the tracer's. */
static bool is_untraced(const struct scenario *scenario, const char *strategy)
{
	for (size_t i = 0; i < scenario->arm_count; i++)
		if (!strcmp(scenario->arms[i].strategy.name, strategy))
			return scenario->arms[i].strategy.untraced;
	return false;
}

static bool check_one(const struct csvtable *summary, const struct scenario *scenario,
		      const struct expectation *expectation)
{
	const struct figure_name *figure = &expectation->figure;
	size_t broken = 0, rows = 0;

	for (size_t row = 0; row < summary->row_count; row++) {
		double value, limit;
		bool known;

		if (!matches(figure->strategy, csvtable_text(summary, row, "strategy")) ||
		    !matches(figure->peer, csvtable_text(summary, row, "peer")))
			continue;
		rows++;
		if (is_traced(figure->column) &&
		    is_untraced(scenario, csvtable_text(summary, row, "strategy")))
			continue;
		known = limit_for(summary, row, expectation, &limit);
		if (known && csvtable_number(summary, row, figure->column, &value) &&
		    holds(value, expectation->operator, limit))
			continue;
		broken++;
		say_broken(summary, row, expectation, known ? &limit : NULL);
	}
	if (!rows)
		log_error("expected %s.%s.%s %s %g, but all trials of it are void",
			  figure->strategy, figure->peer, figure->column, expectation->operator,
			  expectation->limit);
	return rows && !broken;
}

struct judgement judging_check(const struct csvtable *summary, const struct scenario *scenario)
{
	struct judgement judgement = { 0 };

	for (size_t i = 0; i < scenario->expectation_count; i++) {
		if (!is_judged(scenario, &scenario->expectations[i]))
			continue;
		judgement.judged++;
		judgement.broken += !check_one(summary, scenario, &scenario->expectations[i]);
	}
	return judgement;
}
