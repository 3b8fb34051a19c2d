/* SPDX-License-Identifier: MIT */
#include "lingerbench/strategy.h"

#include <string.h>

#define STRATEGY(name) &strategy_##name,
const struct strategy *const strategies[] = {
#include "lingerbench/strategies/list.def"
	NULL
};
#undef STRATEGY

const struct strategy *strategy_find(const char *name)
{
	for (size_t i = 0; strategies[i]; i++)
		if (!strcmp(strategies[i]->name, name))
			return strategies[i];
	return NULL;
}
