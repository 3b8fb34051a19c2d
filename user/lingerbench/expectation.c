/* SPDX-License-Identifier: MIT */
#include "lingerbench/expectation.h"

#include <stdio.h>
#include <string.h>

#include "lingerbench/summary.h"

static bool is_operator(const char *text)
{
	static const char *const operators[] = { "<", "<=", "=", ">=", ">" };

	for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++)
		if (!strcmp(operators[i], text))
			return true;
	return false;
}

static bool read_figure_name(const char *text, struct figure_name *ret)
{
	char rest;

	if (strchr(text, '/'))
		return sscanf(text, "%31[^./]/%31[^./].%31[^.].%47[a-z0-9_]%c", ret->server,
			      ret->strategy, ret->peer, ret->column, &rest) == 4;
	strcpy(ret->server, "*");
	return sscanf(text, "%31[^.].%31[^.].%47[a-z0-9_]%c", ret->strategy, ret->peer, ret->column,
		      &rest) == 3;
}

/* ">= 1" or ">= 0.9 * lingerd.prompt.throughput_per_s" */
static bool read_comparison(const char *text, struct expectation *ret)
{
	char other[128], rest;
	int fields =
		sscanf(text, "%2[<>=] %lf * %127s %c", ret->operator, & ret->limit, other, &rest);

	ret->is_relative = fields == 3;
	if (ret->is_relative)
		return read_figure_name(other, &ret->other);
	return sscanf(text, "%2[<>=] %lf %c", ret->operator, & ret->limit, &rest) == 2;
}

bool expectation_is_any(const char *name)
{
	return !strcmp(name, "*");
}

bool expectation_is_of_same(const struct expectation *expectation, const struct expectation *other)
{
	const struct figure_name *a = &expectation->figure, *b = &other->figure;

	return !strcmp(a->server, b->server) && !strcmp(a->strategy, b->strategy) &&
	       !strcmp(a->peer, b->peer) && !strcmp(a->column, b->column);
}

bool expectation_take(struct expectation *ret, struct inifile_place place, const char *key,
		      const char *value)
{
	struct expectation expectation = { .place = place };
	const char *unknown = NULL;

	if (!read_figure_name(key, &expectation.figure) || !read_comparison(value, &expectation))
		return inifile_complain(place,
					"%s = %s: expected STRATEGY.PEER.COLUMN = OPERATOR NUMBER, "
					"as close.uploader.truncated = >= 1, or behind NUMBER a "
					"\"* STRATEGY.PEER.COLUMN\"; before STRATEGY may be a "
					"SERVER/",
					key, value);
	if (!is_operator(expectation.operator))
		return inifile_complain(place, "\"%s\" is no operator; expected < <= = >= or >",
					expectation.operator);
	if (!summary_has_column(expectation.figure.column))
		unknown = expectation.figure.column;
	else if (expectation.is_relative && !summary_has_column(expectation.other.column))
		unknown = expectation.other.column;
	if (unknown)
		return inifile_complain(place, "summary.csv has no column \"%s\"", unknown);
	*ret = expectation;
	return true;
}
