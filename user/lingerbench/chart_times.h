/* SPDX-License-Identifier: MIT */
/* How the times of connections.csv are spread: for each arm in a row, and as curves beside each other. */
#ifndef LINGERBENCH_CHART_TIMES_H
#define LINGERBENCH_CHART_TIMES_H

#include <stdio.h>

#include "lingerbench/chart.h"
#include "lingerbench/report_data.h"

/* A column of times. */
struct spread {
	const struct report_data *data;
	const char *column;
	const char
		*word; /* what tells its rows from those of other columns; NULL: nothing has to */
	struct sample *samples;
};

/*
 * Collects it. Where the summary has no median though there are values, some are missing, and the others would flatter: such a
 * sample is left empty. 0 or -ENOMEM. spread_free() in any case.
 */
int spread_read(struct spread *spread);
void spread_free(struct spread *spread);

struct sample *spread_of(const struct spread *spread, size_t arm, size_t peer);

/* From the quantile on up to the longest of all. False: there are no values. */
bool spread_axis(const struct spread *spreads, size_t count, double quantile, struct axis *ret);

/* Rows: from the median to the longest, on a log axis; of each arm one for each column. */
void chart_spans(FILE *out, const struct spread *spreads, size_t count, const struct axis *axis,
		 const char *title);

/* Curves: the time over 1 / (1 - p). Bounded, however many connections there were. 0 or -ENOMEM. */
int chart_curves(FILE *out, const struct spread *spread, const char *title);

#endif
