/* SPDX-License-Identifier: MIT */
/* The scenario as run.json tells it: what was asked for, with the defaults filled in. */
#ifndef LINGERBENCH_SCENARIO_JSON_H
#define LINGERBENCH_SCENARIO_JSON_H

#include <jansson.h>

#include "lingerbench/scenario.h"

/* The caller's to decref. What there was no memory for is missing. */
json_t *scenario_json(const struct scenario *scenario);

#endif
