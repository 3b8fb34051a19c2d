/* SPDX-License-Identifier: MIT */
#include "lingerbench/chart_times.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lingerbench/chart.h"
#include "lingerbench/html.h"

enum { TRACK = 18, ROW = ROW_LABEL + TRACK + 4, LEAST = 300, FIGURES_LENGTH = 24 };

struct sample *spread_of(const struct spread *spread, size_t arm, size_t peer)
{
	return &spread->samples[arm * spread->data->peer_count + peer];
}

/* A column without one in the summary is as known as its values. */
static bool is_known(const struct spread *spread, size_t arm, size_t peer)
{
	const struct csvtable *summary = &spread->data->summary;
	char median[64];
	double value;
	size_t row;

	snprintf(median, sizeof(median), "%s_p50", spread->column);
	return csvtable_column(summary, median) == summary->column_count ||
	       (report_data_row(spread->data, arm, peer, &row) &&
		csvtable_number(summary, row, median, &value));
}

int spread_read(struct spread *spread)
{
	spread->samples = report_data_samples(spread->data, spread->column);
	if (!spread->samples)
		return -ENOMEM;
	for (size_t arm = 0; arm < spread->data->arm_count; arm++)
		for (size_t peer = 0; peer < spread->data->peer_count; peer++)
			if (!is_known(spread, arm, peer))
				sample_free(spread_of(spread, arm, peer));
	return 0;
}

void spread_free(struct spread *spread)
{
	report_data_free_samples(spread->data, spread->samples);
	spread->samples = NULL;
}

bool spread_axis(const struct spread *spreads, size_t count, double quantile, struct axis *ret)
{
	double low = INFINITY, high = 0;

	for (size_t s = 0; s < count; s++) {
		const struct report_data *data = spreads[s].data;

		for (size_t i = 0; i < data->arm_count * data->peer_count; i++) {
			double from, most;

			if (!sample_quantile(&spreads[s].samples[i], quantile, &from) ||
			    !sample_quantile(&spreads[s].samples[i], 1, &most))
				continue;
			low = fmin(low, from);
			high = fmax(high, most);
		}
	}
	if (!isfinite(low))
		return false;
	*ret = axis_of_times(low, high);
	return true;
}

struct spans {
	const struct spread *spreads;
	size_t count;
};

static bool has(const struct row_chart *chart, size_t arm, size_t peer)
{
	size_t row;

	return report_data_row(chart->data, arm, peer, &row);
}

static void draw_line(FILE *out, double from, double to, int y, int width)
{
	fprintf(out, "<line x1=\"%.2f%%\" x2=\"%.2f%%\" y1=\"%d\" y2=\"%d\" stroke-width=\"%d\"/>",
		from, to, y, y, width);
}

static void draw_span(FILE *out, const struct axis *axis, struct sample *sample, int y)
{
	double p50, p90, p99, most, at;

	if (!sample_quantile(sample, 0.5, &p50) || !sample_quantile(sample, 0.9, &p90) ||
	    !sample_quantile(sample, 0.99, &p99) || !sample_quantile(sample, 1, &most))
		return;
	at = axis_percent(axis, p50);
	fprintf(out,
		"<title>%zu values: p50 %.0f us, p90 %.0f us, p99 %.0f us, longest %.0f us</title>",
		sample->count, p50, p90, p99, most);
	draw_line(out, at, axis_percent(axis, most), y, 1);
	draw_line(out, at, axis_percent(axis, p90), y, 6);
	fprintf(out,
		"<circle cx=\"%.2f%%\" cy=\"%d\" r=\"5\" fill=\"currentColor\" stroke=\"none\"/>"
		"<circle cx=\"%.2f%%\" cy=\"%d\" r=\"3.5\" fill=\"var(--back)\" "
		"stroke-width=\"2\"/>",
		at, y, axis_percent(axis, p99), y);
}

/* How many there are is told where they are not all. */
static void draw_figures(FILE *out, struct sample *sample, double connections, int y)
{
	double p50, p99;

	chart_text(out, 100, y + 12, "end", "dim");
	if (sample_quantile(sample, 0.5, &p50) && sample_quantile(sample, 0.99, &p99)) {
		if ((double)sample->count < connections)
			fprintf(out, "%zu of %.0f: ", sample->count, connections);
		fprintf(out, "p50&nbsp;");
		chart_time(out, p50);
		fprintf(out, ", p99&nbsp;");
		chart_time(out, p99);
	} else {
		fprintf(out, "&ndash;");
	}
	fprintf(out, "</text>");
}

static void draw(FILE *out, const struct row_chart *chart, size_t arm, size_t peer, int y)
{
	const struct spans *spans = chart->what;
	double connections = 0;
	size_t row = 0;

	report_data_row(chart->data, arm, peer, &row);
	csvtable_number(&chart->data->summary, row, "connections", &connections);
	for (size_t i = 0; i < spans->count; i++, y += ROW) {
		const struct spread *spread = &spans->spreads[i];
		struct sample *sample = spread_of(spread, arm, peer);

		chart_text(out, 0, y + 12, "start", NULL);
		html_text(out, report_data_name(chart->data, arm).text);
		if (spread->word)
			fprintf(out, " <tspan class=\"dim\">%s</tspan>", spread->word);
		fprintf(out, "</text>");
		draw_figures(out, sample, connections, y);
		fprintf(out, "<g class=\"arm a%zu\">", arm % CHART_COLORS);
		draw_span(out, chart->axis, sample, y + ROW_LABEL + TRACK / 2);
		fprintf(out, "</g>");
	}
}

static int least_width(const struct spread *spreads, size_t count)
{
	size_t most = 0, word = 0;

	for (size_t i = 0; i < count; i++)
		if (spreads[i].word && strlen(spreads[i].word) + 16 > word)
			word = strlen(spreads[i].word) + 16; /* "1234 of 12345: " */
	for (size_t arm = 0; arm < spreads->data->arm_count; arm++) {
		size_t length = strlen(report_data_name(spreads->data, arm).text);

		most = length > most ? length : most;
	}
	most += word + FIGURES_LENGTH;
	return chart_width_of(most) > LEAST ? chart_width_of(most) : LEAST;
}

void chart_spans(FILE *out, const struct spread *spreads, size_t count, const struct axis *axis,
		 const char *title)
{
	struct spans spans = { spreads, count };
	struct row_chart chart = { .data = spreads->data,
				   .title = title,
				   .axis = axis,
				   .row_height = ROW * (int)count,
				   .least_width = least_width(spreads, count),
				   .has = has,
				   .draw = draw,
				   .what = &spans };

	chart_rows(out, &chart);
}
