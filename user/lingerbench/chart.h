/* SPDX-License-Identifier: MIT */
/*
 * What the drawings of the report are made of: inline SVG whose text keeps its size, and whose width is that of the page, since
 * all places across are percents. A figure that would be too narrow for its text scrolls inside itself.
 */
#ifndef LINGERBENCH_CHART_H
#define LINGERBENCH_CHART_H

#include <stdbool.h>
#include <stdio.h>

#include "lingerbench/report_data.h"

enum { AXIS_TICKS = 24, AXIS_HEIGHT = 22, ROW_LABEL = 16 };
/* Classes a0, a1, ... of the style: the colour of an arm is the same in all drawings. */
enum { CHART_COLORS = 7 };

/* A log axis. */
struct axis {
	double low; /* log10 */
	double high;
	double ticks[AXIS_TICKS];
	size_t tick_count;
	bool of_ratios; /* else of times */
};

/* Of microseconds: whole powers of ten around both. Of ratios: around both and 1. Both positive, or 0 for what is below the axis. */
struct axis axis_of_times(double low_us, double high_us);
struct axis axis_of_ratios(double low, double high);

/* Where a value is, in percents of the width; what is beyond an end is at that end. */
double axis_percent(const struct axis *axis, double value);

/* "10 ms" or "&times;0.5" of a tick; "1.03 ms" and "0.943" of a figure. */
void chart_tick(FILE *out, const struct axis *axis, double value);
void chart_time(FILE *out, double us);
void chart_ratio(FILE *out, double ratio);

/* How wide a text is at most, in pixels. */
int chart_width_of(size_t characters);

/* Figures beside and below each other, each at least so many pixels wide. The caller ends it: "</div>". */
void chart_begin_panels(FILE *out, int least_width);

/* A figure of one peer and its drawing; title is for those who do not see it. */
void chart_open(FILE *out, const char *peer, const char *title, int height);
void chart_close(FILE *out);

/* The start tag of a text; anchor: start, middle or end; class: NULL or how it is set. The caller ends it. */
void chart_text(FILE *out, double percent, int y, const char *anchor, const char *class);

/*
 * Rows of arms, a figure for each peer. An arm without figures under a peer has no row there.
 */
struct row_chart {
	const struct report_data *data;
	const char *title;
	const struct axis *axis; /* NULL: none */
	int row_height;		 /* with ROW_LABEL for the label, which is drawn by draw() */
	int least_width;
	bool (*has)(const struct row_chart *chart, size_t arm, size_t peer);
	void (*draw)(FILE *out, const struct row_chart *chart, size_t arm, size_t peer, int y);
	const void *what; /* is drawn */
};

void chart_rows(FILE *out, const struct row_chart *chart);

/* The label at the left above a row. */
void chart_label(FILE *out, int y, const char *text);

#endif
