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
	return expectation_is_any(wanted) || !strcmp(wanted, name);
}

static bool matches_server(const char *wanted, const struct program *program)
{
	return expectation_is_any(wanted) || program_find(wanted) == program;
}

/* What the tracer alone knows. */
static bool is_traced(const char *column)
{
	return !strcmp(column, "traced") || !strncmp(column, "fin_wait_2_", 11);
}

/* A figure of one row. */
struct figure_of {
	const struct arm *arm;
	const struct peer *peer;
	const char *column;
};

/*
 * The tracer can be switched off. One that was to run and could not is something else: what it was to tell is not known,
 * and that is judged.
 */
static bool is_told(const struct scenario *scenario, const struct figure_of *figure)
{
	return !is_traced(figure->column) || (scenario->trace && !figure->arm->strategy.untraced);
}

static const char *or_same(const char *name, const char *same)
{
	return expectation_is_any(name) ? same : name;
}

/*
 * Where the name of the other figure leaves a part open, it is that of the first one. False: it is not run, since lists can
 * be narrowed with --set, or its server has no such strategy.
 */
static bool other_figure(const struct scenario *scenario, const struct figure_of *figure,
			 const struct figure_name *name, struct figure_of *ret)
{
	const char *server = or_same(name->server, figure->arm->program->name);
	const char *strategy = or_same(name->strategy, figure->arm->strategy.name);
	const char *peer = or_same(name->peer, figure->peer->name);

	for (size_t a = 0; a < scenario->arm_count; a++) {
		for (size_t p = 0; p < scenario->peer_count; p++) {
			const struct arm *arm = &scenario->arms[a];

			if (!matches_server(server, arm->program) ||
			    !matches(strategy, arm->strategy.name) ||
			    !matches(peer, scenario->peers[p]->name))
				continue;
			*ret = (struct figure_of){ arm, scenario->peers[p], name->column };
			return true;
		}
	}
	return false;
}

/* False: all of its trials are void. */
static bool find_row(const struct csvtable *summary, const struct figure_of *figure, size_t *ret)
{
	for (size_t row = 0; row < summary->row_count; row++) {
		if (strcmp(program_label(figure->arm->program),
			   csvtable_text(summary, row, "server")) != 0 ||
		    strcmp(figure->arm->strategy.name, csvtable_text(summary, row, "strategy")) !=
			    0 ||
		    strcmp(figure->peer->name, csvtable_text(summary, row, "peer")) != 0)
			continue;
		*ret = row;
		return true;
	}
	return false;
}

static void say_broken(const struct csvtable *summary, size_t row,
		       const struct expectation *expectation, const struct figure_of *figure,
		       const struct figure_of *other, const double *limit)
{
	const char *text = csvtable_text(summary, row, figure->column);
	char relative[192] = "", known[48] = "";

	if (expectation->is_relative)
		snprintf(relative, sizeof(relative), " * %s.%s.%s", other->arm->label,
			 other->peer->name, other->column);
	if (expectation->is_relative && limit)
		snprintf(known, sizeof(known), " = %g", *limit);
	else if (expectation->is_relative)
		snprintf(known, sizeof(known), ", which is not known");
	log_error("expected %s.%s.%s %s %g%s%s, it is %s", figure->arm->label, figure->peer->name,
		  figure->column, expectation->operator, expectation->limit, relative, known,
		  *text ? text : "not known");
}

/* What came of one line of [expect], over all rows that it is about. */
struct outcomes {
	size_t judged; /* void ones, too */
	size_t rows;
	size_t broken;
};

static void judge(const struct csvtable *summary, const struct scenario *scenario,
		  const struct expectation *expectation, const struct figure_of *figure,
		  struct outcomes *outcomes)
{
	struct figure_of other = { 0 };
	double value, limit = expectation->limit;
	size_t row, other_row;
	bool known = true;

	if (!is_told(scenario, figure))
		return;
	if (expectation->is_relative &&
	    (!other_figure(scenario, figure, &expectation->other, &other) ||
	     !is_told(scenario, &other)))
		return;
	outcomes->judged++;
	if (!find_row(summary, figure, &row))
		return;
	outcomes->rows++;
	if (expectation->is_relative) {
		known = find_row(summary, &other, &other_row) &&
			csvtable_number(summary, other_row, other.column, &value);
		limit = known ? limit * value : 0;
	}
	if (known && csvtable_number(summary, row, figure->column, &value) &&
	    holds(value, expectation->operator, limit))
		return;
	outcomes->broken++;
	say_broken(summary, row, expectation, figure, &other, known ? &limit : NULL);
}

static struct outcomes check_one(const struct csvtable *summary, const struct scenario *scenario,
				 const struct expectation *expectation)
{
	const struct figure_name *name = &expectation->figure;
	struct outcomes outcomes = { 0 };

	for (size_t p = 0; p < scenario->peer_count; p++) {
		for (size_t a = 0; a < scenario->arm_count; a++) {
			const struct figure_of figure = { &scenario->arms[a], scenario->peers[p],
							  name->column };

			if (matches_server(name->server, figure.arm->program) &&
			    matches(name->strategy, figure.arm->strategy.name) &&
			    matches(name->peer, figure.peer->name))
				judge(summary, scenario, expectation, &figure, &outcomes);
		}
	}
	return outcomes;
}

static void say_void(const struct expectation *expectation)
{
	const struct figure_name *name = &expectation->figure;
	bool any = expectation_is_any(name->server);

	log_error("expected %s%s%s.%s.%s %s %g, but all trials of it are void",
		  any ? "" : name->server, any ? "" : "/", name->strategy, name->peer, name->column,
		  expectation->operator, expectation->limit);
}

struct judgement judging_check(const struct csvtable *summary, const struct scenario *scenario)
{
	struct judgement judgement = { 0 };

	for (size_t i = 0; i < scenario->expectation_count; i++) {
		const struct expectation *expectation = &scenario->expectations[i];
		struct outcomes outcomes = check_one(summary, scenario, expectation);

		if (!outcomes.judged) {
			judgement.idle++;
			continue;
		}
		if (!outcomes.rows)
			say_void(expectation);
		judgement.judged++;
		judgement.broken += !outcomes.rows || outcomes.broken;
	}
	return judgement;
}
