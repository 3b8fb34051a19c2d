/* SPDX-License-Identifier: MIT */
#include "lingerbench/strategy.h"

#include <stddef.h>

#define STRATEGY(name) &strategy_##name,
const struct strategy *const strategies[] = {
#include "lingerbench/strategies/list.def"
	NULL
};
#undef STRATEGY
