/* SPDX-License-Identifier: MIT */
#include "lingerbench/arm.h"

#include <stdio.h>
#include <string.h>

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

static const struct strategy *find(const struct program *program, const char *name,
				   const struct suffix *suffix)
{
	size_t length = strlen(name), suffix_length = strlen(suffix->text);
	const struct strategy *strategy;
	char base[NAME_SIZE];

	if (length <= suffix_length || strcmp(name + length - suffix_length, suffix->text) != 0)
		return NULL;
	snprintf(base, sizeof(base), "%.*s", (int)(length - suffix_length), name);
	strategy = program_find_strategy(program, base);
	/* Without a lingerd nothing can happen to it. */
	return strategy && (!suffix->fault || strategy->needs_lingerd) ? strategy : NULL;
}

bool arm_make(struct arm *ret, const struct program *program, const char *name)
{
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		const struct strategy *strategy = find(program, name, &suffixes[i]);

		if (!strategy)
			continue;
		*ret = (struct arm){ .program = program, .strategy = *strategy };
		ret->strategy.name = name;
		ret->strategy.untraced = suffixes[i].untraced;
		ret->strategy.fault = suffixes[i].fault;
		return true;
	}
	return false;
}
