/* SPDX-License-Identifier: MIT */
#ifndef LINGERBENCH_CHART_OUTCOMES_H
#define LINGERBENCH_CHART_OUTCOMES_H

#include <stdio.h>

#include "lingerbench/report_data.h"

/* What became of the responses: a stacked bar per arm and peer, as long as any other. */
void chart_outcomes(FILE *out, const struct report_data *data);

#endif
