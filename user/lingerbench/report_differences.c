/* SPDX-License-Identifier: MIT */
#include "lingerbench/report_differences.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lingerbench/chart.h"
#include "lingerbench/html.h"
#include "lingerbench/paired.h"

enum { FIGURES_Y = ROW_LABEL, TRACK_Y = 2 * ROW_LABEL + 8, ROW = TRACK_Y + 16, LEAST = 300 };
/* Single blocks that are drawn of one arm; of more of them, some. */
enum { TICKS_MOST = 40 };

/* A figure of blocks.csv. */
struct ratio_figure {
	const char *column;
	const char *title;
	const char *lower;
	const char *higher;
};

static const struct ratio_figure figures[] = {
	{ "throughput_per_s", "Throughput", "lower", "higher" },
	{ "worker_hold_us_p50", "Worker hold", "shorter", "longer" },
};

/* All of one figure: arm after arm, of each one for every peer. */
struct ratios {
	const struct report_data *data;
	const struct ratio_figure *figure;
	struct paired *list;
};

static struct paired *ratio_of(const struct ratios *ratios, size_t arm, size_t peer)
{
	return &ratios->list[arm * ratios->data->peer_count + peer];
}

static bool is_paired(const struct report_data *data, size_t arm)
{
	size_t other;
	bool is_noise;

	return paired_with(data, arm, &other, &is_noise);
}

static int read_ratios(struct ratios *ratios)
{
	const struct report_data *data = ratios->data;
	int error = 0;

	ratios->list = calloc(data->arm_count * data->peer_count + 1, sizeof(*ratios->list));
	if (!ratios->list)
		return -ENOMEM;
	for (size_t arm = 0; arm < data->arm_count; arm++)
		for (size_t peer = 0; peer < data->peer_count && !error; peer++)
			if (is_paired(data, arm))
				error = paired_read(data, arm, peer, ratios->figure->column,
						    ratio_of(ratios, arm, peer));
	return error;
}

static void free_ratios(struct ratios *ratios)
{
	const struct report_data *data = ratios->data;

	for (size_t i = 0; ratios->list && i < data->arm_count * data->peer_count; i++)
		paired_free(&ratios->list[i]);
	free(ratios->list);
}

/* The widest of the server's A/A arms. */
static double noise_of(const struct ratios *ratios, size_t arm, size_t peer)
{
	const struct report_data *data = ratios->data;
	double noise = 1;

	for (size_t i = 0; i < data->arm_count; i++)
		if (ratio_of(ratios, i, peer)->is_noise &&
		    !strcmp(data->arms[i].server, data->arms[arm].server))
			noise = fmax(noise, paired_reach(ratio_of(ratios, i, peer)));
	return noise;
}

static bool has(const struct row_chart *chart, size_t arm, size_t peer)
{
	const struct ratios *ratios = chart->what;
	size_t row;

	return is_paired(chart->data, arm) && report_data_row(chart->data, arm, peer, &row) &&
	       ratio_of(ratios, arm, peer)->ratios.count;
}

static void draw_word(FILE *out, const struct ratio_figure *figure, enum paired_finding finding,
		      int y)
{
	static const char *const words[] = {
		[PAIRED_UNKNOWN] = "not known",
		[PAIRED_TOO_FEW] = "too few blocks",
		[PAIRED_NOISE] = "noise floor",
		[PAIRED_INCONCLUSIVE] = "inconclusive",
		[PAIRED_WITHIN_NOISE] = "within the noise",
	};
	bool found = finding == PAIRED_LOWER || finding == PAIRED_HIGHER;

	chart_text(out, 100, y + 12, "end", found ? "found" : "dim");
	fprintf(out, "%s</text>",
		finding == PAIRED_LOWER	   ? figure->lower
		: finding == PAIRED_HIGHER ? figure->higher
					   : words[finding]);
}

static void draw_label(FILE *out, const struct report_data *data, size_t arm, size_t of, int y)
{
	chart_text(out, 0, y + 12, "start", NULL);
	html_text(out, report_data_name(data, arm).text);
	fprintf(out, " <tspan class=\"dim\">/ ");
	html_text(out, data->arms[of].strategy);
	fprintf(out, "</tspan></text>");
}

static void draw_figures(FILE *out, const struct paired *paired, int y)
{
	chart_text(out, 0, y + FIGURES_Y + 12, "start", "dim");
	fprintf(out, "&times;");
	chart_ratio(out, paired->median);
	if (paired->has_interval) {
		fprintf(out, " (");
		chart_ratio(out, paired->low);
		fprintf(out, " to ");
		chart_ratio(out, paired->high);
		fprintf(out, ")");
	}
	fprintf(out, ", %zu block%s</text>", paired->ratios.count,
		paired->ratios.count == 1 ? "" : "s");
}

static void draw_noise(FILE *out, const struct axis *axis, double noise, int y)
{
	double from = axis_percent(axis, 1 / noise), to = axis_percent(axis, noise);

	if (noise > 1)
		fprintf(out,
			"<rect class=\"noise\" x=\"%.2f%%\" y=\"%d\" width=\"%.2f%%\" "
			"height=\"16\"><title>noise floor: up to x %.3g</title></rect>",
			from, y - 8, to - from, noise);
}

/* Sorted, so that a choice of them has the first and nearly the last. */
static void draw_blocks(FILE *out, const struct axis *axis, const struct sample *ratios, int y)
{
	size_t step = (ratios->count + TICKS_MOST - 1) / TICKS_MOST;

	for (size_t i = 0; i < ratios->count; i += step) {
		double percent = axis_percent(axis, ratios->values[i]);

		fprintf(out,
			"<line x1=\"%.2f%%\" x2=\"%.2f%%\" y1=\"%d\" y2=\"%d\" "
			"stroke-width=\"1\"/>",
			percent, percent, y - 6, y + 6);
	}
}

static void draw_interval(FILE *out, const struct axis *axis, const struct paired *paired, int y)
{
	double median = axis_percent(axis, paired->median);

	if (paired->has_interval)
		fprintf(out,
			"<line x1=\"%.2f%%\" x2=\"%.2f%%\" y1=\"%d\" y2=\"%d\" "
			"stroke-width=\"4\"/>",
			axis_percent(axis, paired->low), axis_percent(axis, paired->high), y, y);
	fprintf(out, "<circle cx=\"%.2f%%\" cy=\"%d\" r=\"5\" fill=\"%s\" stroke-width=\"2\"/>",
		median, y, paired->has_interval ? "currentColor" : "var(--back)");
}

static void draw(FILE *out, const struct row_chart *chart, size_t arm, size_t peer, int y)
{
	const struct ratios *ratios = chart->what;
	const struct paired *paired = ratio_of(ratios, arm, peer);
	double noise = noise_of(ratios, arm, peer);

	draw_label(out, chart->data, arm, paired->of, y);
	draw_word(out, ratios->figure, paired_judge(paired, noise), y);
	draw_figures(out, paired, y);
	draw_noise(out, chart->axis, noise, y + TRACK_Y);
	fprintf(out, "<g class=\"arm a%zu\">", arm % CHART_COLORS);
	draw_blocks(out, chart->axis, &paired->ratios, y + TRACK_Y);
	draw_interval(out, chart->axis, paired, y + TRACK_Y);
	fprintf(out, "</g>");
}

/* Around all ratios that are drawn. False: there are none. */
static bool choose_axis(const struct ratios *ratios, struct axis *ret)
{
	const struct report_data *data = ratios->data;
	double low = INFINITY, high = 0;

	for (size_t i = 0; i < data->arm_count * data->peer_count; i++) {
		const struct sample *sample = &ratios->list[i].ratios;

		for (size_t k = 0; k < sample->count; k++) {
			low = sample->values[k] > 0 ? fmin(low, sample->values[k]) : low;
			high = fmax(high, sample->values[k]);
		}
	}
	if (high <= 0)
		return false;
	*ret = axis_of_ratios(low, high);
	return true;
}

static int least_width(const struct report_data *data)
{
	size_t most = 0;

	for (size_t arm = 0; arm < data->arm_count; arm++) {
		size_t other, length = strlen(report_data_name(data, arm).text);
		bool is_noise;

		if (!paired_with(data, arm, &other, &is_noise))
			continue;
		length += strlen(data->arms[other].strategy) + strlen(" /  within the noise");
		most = length > most ? length : most;
	}
	return chart_width_of(most) > LEAST ? chart_width_of(most) : LEAST;
}

static void draw_figure(FILE *out, const struct ratios *ratios)
{
	struct axis axis;
	struct row_chart chart = { .data = ratios->data,
				   .title = ratios->figure->title,
				   .axis = &axis,
				   .row_height = ROW,
				   .least_width = least_width(ratios->data),
				   .has = has,
				   .draw = draw,
				   .what = ratios };

	if (!choose_axis(ratios, &axis))
		return;
	fprintf(out, "<h3>%s</h3>\n", ratios->figure->title);
	chart_rows(out, &chart);
}

static void write_head(FILE *out)
{
	fprintf(out,
		"<section><h2>Paired differences</h2>\n<p class=\"dim\">Each strategy against the "
		"scenario&rsquo;s first one, within each block, as a ratio: &times;1 is no "
		"difference, and where the first one&rsquo;s is 0 there is no ratio. Dot: the "
		"median of the blocks; thick line: its 95&nbsp;%% interval, "
		"which takes 6 blocks; thin marks: single blocks. <i>Inconclusive</i>: the "
		"interval "
		"has 1 in it. An A/A arm, which is the same strategy once more, shows the noise "
		"floor, shaded: how far its interval reaches; a difference that is no larger is "
		"within the noise. Each interval is of one figure alone, and of twenty of them one "
		"leaves out the truth.</p>\n");
}

int report_differences(FILE *out, const struct report_data *data)
{
	int error = 0;

	if (data->arm_count < 2)
		return 0;
	write_head(out);
	for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]) && !error; i++) {
		struct ratios ratios = { .data = data, .figure = &figures[i] };

		error = read_ratios(&ratios);
		if (!error)
			draw_figure(out, &ratios);
		free_ratios(&ratios);
	}
	fprintf(out, "</section>\n");
	return error;
}
