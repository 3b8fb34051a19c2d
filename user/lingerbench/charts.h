/* SPDX-License-Identifier: MIT */
/* The drawings of the report: inline SVG, sized by a viewBox. */
#ifndef LINGERBENCH_CHARTS_H
#define LINGERBENCH_CHARTS_H

#include <stdio.h>

#include "lingerbench/csvtable.h"

/* What became of the responses: a stacked bar per strategy and peer. */
void charts_outcomes(FILE *out, const struct csvtable *summary);

/*
 * How a time of connections.csv is spread, per strategy and peer, on a log axis. Draws nothing
 * where no row has a figure. 0 or -ENOMEM.
 */
int charts_spans(FILE *out, const struct csvtable *summary, const struct csvtable *connections,
		 const char *column, const char *title, const char *explanation);

#endif
