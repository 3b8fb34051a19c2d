/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lingerbench/chart.h"
#include "lingerbench/chart_times.h"
#include "lingerbench/html.h"

/* Percents of the width for the labels of the time at the left, and for the curves; the rest is the arms'. */
static const double plot_left = 15, plot_width = 45, name_left = 64;
enum {
	PLOT_TOP = 8,
	PLOT_LEAST = 220,
	NAME_HEIGHT = 15,
	POINTS_PER_DECADE = 20,
	UNITS = 1000,
	LEAST = 300
};

struct plot {
	const struct spread *spread;
	size_t peer;
	const struct axis *axis;
	double decades; /* of 1 / (1 - p) */
	int height;
};

static double plot_y(const struct plot *plot, double us)
{
	double place = (log10(us < 0.1 ? 0.1 : us) - plot->axis->low) /
		       (plot->axis->high - plot->axis->low);

	return PLOT_TOP + (1 - fmin(fmax(place, 0), 1)) * plot->height;
}

static double plot_percent(const struct plot *plot, double decades)
{
	return plot_left + plot_width * decades / plot->decades;
}

static void draw_times(FILE *out, const struct plot *plot)
{
	for (size_t i = 0; i < plot->axis->tick_count; i++) {
		double y = plot_y(plot, plot->axis->ticks[i]);

		fprintf(out,
			"<line class=\"grid\" x1=\"%.1f%%\" x2=\"%.1f%%\" y1=\"%.1f\" "
			"y2=\"%.1f\"/>",
			plot_left, plot_left + plot_width, y, y);
		chart_text(out, plot_left - 1.5, (int)y + 4, "end", "dim");
		chart_tick(out, plot->axis, plot->axis->ticks[i]);
		fprintf(out, "</text>\n");
	}
}

static void draw_percentile(FILE *out, const struct plot *plot, double decades, const char *label)
{
	double percent = plot_percent(plot, decades);
	int bottom = PLOT_TOP + plot->height;

	fprintf(out, "<line class=\"grid\" x1=\"%.1f%%\" x2=\"%.1f%%\" y1=\"%d\" y2=\"%d\"/>",
		percent, percent, PLOT_TOP, bottom);
	if (!label)
		return;
	chart_text(out, percent, bottom + 15, "middle", "dim");
	fprintf(out, "%s</text>\n", label);
}

/* The median, and each nine more; labels where there is room. */
static void draw_percentiles(FILE *out, const struct plot *plot)
{
	static const char *const labels[] = { "50%", "90%", "99%", "99.9%", "99.99%", "99.999%" };
	int most = (int)floor(plot->decades), every = most > 4 ? 3 : most > 2 ? 2 : 1;

	draw_percentile(out, plot, 0, NULL);
	draw_percentile(out, plot, log10(2), most > 2 ? NULL : labels[0]);
	for (int nines = 1; nines <= most; nines++)
		draw_percentile(out, plot, nines,
				nines < 6 && (nines - 1) % every == 0 ? labels[nines] : NULL);
}

/* From the least on, in even steps of the axis, so that a million of values takes no more than some dozens of points. */
static void draw_curve(FILE *out, const struct plot *plot, struct sample *sample)
{
	double end = log10((double)sample->count), value = 0;
	int steps = (int)(end * POINTS_PER_DECADE);

	fprintf(out, "<polyline points=\"");
	for (int i = 0; i <= steps; i++) {
		double decades = (double)i / POINTS_PER_DECADE, share = 1 - pow(10, -decades);

		sample_quantile(sample, share, &value);
		fprintf(out, "%.0f,%.1f ", decades / plot->decades * UNITS, plot_y(plot, value));
	}
	sample_quantile(sample, 1, &value);
	fprintf(out, "%.0f,%.1f\"/>", end / plot->decades * UNITS, plot_y(plot, value));
}

static struct sample *sample_of(const struct plot *plot, size_t arm)
{
	return spread_of(plot->spread, arm, plot->peer);
}

static void draw_curves(FILE *out, const struct plot *plot)
{
	int height = plot->height + PLOT_TOP;

	/* Stretched to whatever the plot's width is. */
	fprintf(out,
		"<svg class=\"curves\" x=\"%.1f%%\" width=\"%.1f%%\" height=\"%d\" "
		"viewBox=\"0 0 %d %d\" preserveAspectRatio=\"none\">",
		plot_left, plot_width, height, UNITS, height);
	for (size_t arm = 0; arm < plot->spread->data->arm_count; arm++) {
		if (!sample_of(plot, arm)->count)
			continue;
		fprintf(out, "<g class=\"arm a%zu%s\">", arm % CHART_COLORS,
			arm >= CHART_COLORS ? " again" : "");
		draw_curve(out, plot, sample_of(plot, arm));
		fprintf(out, "</g>\n");
	}
	fprintf(out, "</svg>\n");
}

struct curve_end {
	size_t arm;
	double percent;
	double y;
	double name_y;
};

static int compare_ends(const void *left, const void *right)
{
	double a = ((const struct curve_end *)left)->y, b = ((const struct curve_end *)right)->y;

	return a < b ? -1 : a > b;
}

/* Beside their curves' ends, as far as they do not cover each other. */
static void place_names(struct curve_end *ends, size_t count, double bottom)
{
	qsort(ends, count, sizeof(*ends), compare_ends);
	for (size_t i = 0; i < count; i++) {
		double least = i ? ends[i - 1].name_y + NAME_HEIGHT : PLOT_TOP + 4;

		ends[i].name_y = fmax(ends[i].y, least);
	}
	for (size_t i = count; i > 0; i--) {
		ends[i - 1].name_y = fmin(ends[i - 1].name_y, bottom);
		bottom = ends[i - 1].name_y - NAME_HEIGHT;
	}
}

static size_t find_ends(const struct plot *plot, struct curve_end *ends)
{
	size_t count = 0;

	for (size_t arm = 0; arm < plot->spread->data->arm_count; arm++) {
		struct sample *sample = sample_of(plot, arm);
		double most;

		if (!sample_quantile(sample, 1, &most))
			continue;
		ends[count++] = (struct curve_end){
			.arm = arm,
			.percent = plot_percent(plot, log10((double)sample->count)),
			.y = plot_y(plot, most),
		};
	}
	place_names(ends, count, PLOT_TOP + plot->height);
	return count;
}

static void draw_names(FILE *out, const struct plot *plot, struct curve_end *ends)
{
	size_t count = find_ends(plot, ends);

	for (size_t i = 0; i < count; i++) {
		const struct curve_end *end = &ends[i];

		fprintf(out,
			"<g class=\"arm a%zu%s\"><line class=\"lead\" x1=\"%.1f%%\" x2=\"%.1f%%\" "
			"y1=\"%.1f\" y2=\"%.1f\"/></g>",
			end->arm % CHART_COLORS, end->arm >= CHART_COLORS ? " again" : "",
			end->percent, name_left - 0.6, end->y, end->name_y);
		chart_text(out, name_left, (int)end->name_y + 4, "start", NULL);
		html_text(out, report_data_name(plot->spread->data, end->arm).text);
		fprintf(out, "</text>\n");
	}
}

/* Up to which of 1 / (1 - p) there are values; 0: nothing is to be drawn. */
static double find_decades(const struct plot *plot)
{
	size_t most = 0;

	for (size_t arm = 0; arm < plot->spread->data->arm_count; arm++)
		most = sample_of(plot, arm)->count > most ? sample_of(plot, arm)->count : most;
	return most > 1 ? log10((double)most) : 0;
}

static int least_width(const struct report_data *data)
{
	size_t most = 0;

	for (size_t arm = 0; arm < data->arm_count; arm++) {
		size_t length = strlen(report_data_name(data, arm).text);

		most = length > most ? length : most;
	}
	most = (size_t)(chart_width_of(most) / (1 - name_left / 100));
	return most > LEAST ? (int)most : LEAST;
}

static void draw_plot(FILE *out, struct plot *plot, struct curve_end *ends, const char *title)
{
	const struct report_data *data = plot->spread->data;
	int names = (int)data->arm_count * NAME_HEIGHT;

	plot->decades = find_decades(plot);
	if (plot->decades <= 0)
		return;
	plot->height = names > PLOT_LEAST ? names : PLOT_LEAST;
	chart_open(out, data->peers[plot->peer], title, PLOT_TOP + plot->height + AXIS_HEIGHT);
	draw_times(out, plot);
	draw_percentiles(out, plot);
	draw_curves(out, plot);
	draw_names(out, plot, ends);
	chart_close(out);
}

int chart_curves(FILE *out, const struct spread *spread, const char *title)
{
	struct curve_end *ends = calloc(spread->data->arm_count + 1, sizeof(*ends));
	struct axis axis;

	if (!ends)
		return -ENOMEM;
	if (spread_axis(spread, 1, 0, &axis)) {
		struct plot plot = { .spread = spread, .axis = &axis };

		chart_begin_panels(out, least_width(spread->data));
		for (; plot.peer < spread->data->peer_count; plot.peer++)
			draw_plot(out, &plot, ends, title);
		fprintf(out, "</div>\n");
	}
	free(ends);
	return 0;
}
