/* SPDX-License-Identifier: MIT */
#ifndef LINGERBENCH_REPORT_DIFFERENCES_H
#define LINGERBENCH_REPORT_DIFFERENCES_H

#include <stdio.h>

#include "lingerbench/report_data.h"

/* The paired differences of a run that has more than one strategy, from blocks.csv. 0 or -ENOMEM. */
int report_differences(FILE *out, const struct report_data *data);

#endif
