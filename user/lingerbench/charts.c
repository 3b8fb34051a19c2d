/* SPDX-License-Identifier: MIT */
#include "lingerbench/charts.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lingerbench/html.h"
#include "lingerbench/sample.h"
#include "lingerbench/verdict.h"

enum { WIDTH = 860, LABEL = 230, RIGHT = 40, ROW = 20, GAP = 14, AXIS = 24 };

/* The rows of the summary come peer by peer; where does a new one begin? */
static bool begins_peer(const struct csvtable *summary, size_t row)
{
	return !row ||
	       strcmp(csvtable_text(summary, row, "peer"), csvtable_text(summary, row - 1, "peer"));
}

static int height_of(const struct csvtable *summary)
{
	int height = AXIS;

	for (size_t row = 0; row < summary->row_count; row++)
		height += ROW + (begins_peer(summary, row) ? GAP : 0);
	return height;
}

static void open_svg(FILE *out, int height, const char *title)
{
	fprintf(out, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"", WIDTH, height);
	html_text(out, title);
	fprintf(out, "\">\n");
}

static void label_row(FILE *out, const struct csvtable *summary, size_t row, int y)
{
	fprintf(out, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">", LABEL - 8, y + 14);
	html_text(out, verdict_label(summary, row).text);
	fprintf(out, "</text>");
	if (!begins_peer(summary, row))
		return;
	fprintf(out, "<text class=\"dim\" x=\"0\" y=\"%d\">", y + 14);
	html_text(out, csvtable_text(summary, row, "peer"));
	fprintf(out, "</text>");
}

static double number_or_0(const struct csvtable *table, size_t row, const char *column)
{
	double value = 0;

	csvtable_number(table, row, column, &value);
	return value;
}

static double draw_part(FILE *out, double x, int y, double width, const char *color, double count,
			const char *what)
{
	if (count > 0)
		fprintf(out,
			"<rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\" fill=\"var(--%s)\">"
			"<title>%.0f %s</title></rect>",
			x, y + 3, width, ROW - 6, color, count, what);
	return x + width;
}

static bool is_open_loop(const struct csvtable *summary)
{
	double dropped;

	return summary->row_count && csvtable_number(summary, 0, "dropped", &dropped);
}

void charts_outcomes(FILE *out, const struct csvtable *summary)
{
	int y = 0;

	fprintf(out,
		"<h2>What became of the responses</h2>\n<p class=\"dim\">"
		"<span class=\"key\" style=\"background:var(--good)\"></span>complete"
		"<span class=\"key\" style=\"background:var(--bad)\"></span>truncated"
		"<span class=\"key\" style=\"background:var(--odd)\"></span>timed out, corrupt "
		"or failed%s</p>\n",
		is_open_loop(summary)
			? "<span class=\"key\" style=\"background:var(--line)\"></span>dropped: "
			  "came, and "
			  "found no place"
			: "");
	open_svg(out, height_of(summary) - AXIS, "Outcomes per strategy and peer");
	for (size_t row = 0; row < summary->row_count; row++, y += ROW) {
		double all = number_or_0(summary, row, "connections");
		double complete = number_or_0(summary, row, "complete");
		double truncated = number_or_0(summary, row, "truncated");
		double dropped = number_or_0(summary, row, "dropped");
		double scale = all + dropped > 0 ? (WIDTH - LABEL - RIGHT) / (all + dropped) : 0;
		double other = all - complete - truncated;
		double x = LABEL;

		if (begins_peer(summary, row))
			y += GAP;
		label_row(out, summary, row, y);
		x = draw_part(out, x, y, complete * scale, "good", complete, "complete");
		x = draw_part(out, x, y, truncated * scale, "bad", truncated, "truncated");
		x = draw_part(out, x, y, other * scale, "odd", other,
			      "timed out, corrupt or failed");
		draw_part(out, x, y, dropped * scale, "line", dropped, "dropped");
		fprintf(out, "\n");
	}
	fprintf(out, "</svg>\n");
}

struct axis {
	int low; /* log10 of microseconds */
	int high;
};

static double position(const struct axis *axis, double us)
{
	double value = log10(us < 1e-1 ? 1e-1 : us);

	return LABEL + (value - axis->low) / (axis->high - axis->low) * (WIDTH - LABEL - RIGHT);
}

static void draw_axis(FILE *out, const struct axis *axis, int bottom)
{
	static const char *const units[] = { "us", "ms", "s" };

	for (int power = axis->low; power <= axis->high; power++) {
		int thousands = power < 0 ? 0 : power / 3;
		double x = position(axis, pow(10, power));

		if (thousands > 2)
			thousands = 2;
		fprintf(out,
			"<line x1=\"%.1f\" x2=\"%.1f\" y1=\"0\" y2=\"%d\" stroke=\"var(--line)\"/>"
			"<text class=\"dim\" x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%g "
			"%s</text>\n",
			x, x, bottom, x, bottom + 16, pow(10, power - thousands * 3),
			units[thousands]);
	}
}

static void draw_span(FILE *out, const struct axis *axis, struct sample *sample, int y)
{
	double p50, p90, p99, most;

	if (!sample_quantile(sample, 0.5, &p50) || !sample_quantile(sample, 0.9, &p90) ||
	    !sample_quantile(sample, 0.99, &p99) || !sample_quantile(sample, 1, &most))
		return;
	fprintf(out,
		"<g><title>%zu values: p50 %.0f us, p90 %.0f us, p99 %.0f us, most %.0f us</title>"
		"<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\" stroke=\"var(--mark)\" "
		"stroke-width=\"1\"/>"
		"<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\" stroke=\"var(--mark)\" "
		"stroke-width=\"6\" stroke-opacity=\".5\"/>"
		"<circle cx=\"%.1f\" cy=\"%d\" r=\"5\" fill=\"var(--mark)\"/>"
		"<circle cx=\"%.1f\" cy=\"%d\" r=\"3.5\" fill=\"var(--back)\" "
		"stroke=\"var(--mark)\" "
		"stroke-width=\"2\"/></g>",
		sample->count, p50, p90, p99, most, position(axis, p50), position(axis, most),
		y + ROW / 2, y + ROW / 2, position(axis, p50), position(axis, p90), y + ROW / 2,
		y + ROW / 2, position(axis, p50), y + ROW / 2, position(axis, p99), y + ROW / 2);
}

/* Where the summary has no median, some values are missing, and the others would flatter. */
static bool is_known(const struct csvtable *summary, size_t row, const char *column)
{
	char median[64];
	double value;

	snprintf(median, sizeof(median), "%s_p50", column);
	return csvtable_number(summary, row, median, &value);
}

/* The samples of all rows of the summary, in one pass over the connections. */
static int collect(const struct csvtable *summary, const struct csvtable *connections,
		   const char *column, struct sample *samples)
{
	for (size_t i = 0; i < connections->row_count; i++) {
		const char *server = csvtable_text(connections, i, "server");
		const char *strategy = csvtable_text(connections, i, "strategy");
		const char *peer = csvtable_text(connections, i, "peer");
		double value;

		if (strcmp(csvtable_text(connections, i, "phase"), "measured") != 0 ||
		    !csvtable_number(connections, i, column, &value))
			continue;
		for (size_t row = 0; row < summary->row_count; row++)
			if (!strcmp(server, csvtable_text(summary, row, "server")) &&
			    !strcmp(strategy, csvtable_text(summary, row, "strategy")) &&
			    !strcmp(peer, csvtable_text(summary, row, "peer")) &&
			    is_known(summary, row, column) && sample_add(&samples[row], value))
				return -ENOMEM;
	}
	return 0;
}

/* Whole powers of ten around all samples; false: there is nothing to draw. */
static bool choose_axis(struct axis *axis, struct sample *samples, size_t count)
{
	double low = INFINITY, high = 0;

	for (size_t i = 0; i < count; i++) {
		double p50, most;

		if (!sample_quantile(&samples[i], 0.5, &p50) ||
		    !sample_quantile(&samples[i], 1, &most))
			continue;
		low = p50 < low ? p50 : low;
		high = most > high ? most : high;
	}
	if (high <= 0)
		return false;
	axis->low = (int)floor(log10(low < 1e-1 ? 1e-1 : low));
	axis->high = (int)ceil(log10(high));
	if (axis->high <= axis->low)
		axis->high = axis->low + 1;
	return true;
}

int charts_spans(FILE *out, const struct csvtable *summary, const struct csvtable *connections,
		 const char *column, const char *title, const char *explanation)
{
	struct sample *samples = calloc(summary->row_count + 1, sizeof(*samples));
	struct axis axis;
	int y = 0;
	int error = samples ? collect(summary, connections, column, samples) : -ENOMEM;

	if (!error && choose_axis(&axis, samples, summary->row_count)) {
		fprintf(out,
			"<h2>%s</h2>\n<p class=\"dim\">%s Dot: median; thick line: to the 90th "
			"percentile; ring: 99th; thin line: to the longest.</p>\n",
			title, explanation);
		open_svg(out, height_of(summary), title);
		draw_axis(out, &axis, height_of(summary) - AXIS);
		for (size_t row = 0; row < summary->row_count; row++, y += ROW) {
			if (begins_peer(summary, row))
				y += GAP;
			label_row(out, summary, row, y);
			draw_span(out, &axis, &samples[row], y);
			fprintf(out, "\n");
		}
		fprintf(out, "</svg>\n");
	}
	for (size_t row = 0; samples && row < summary->row_count; row++)
		sample_free(&samples[row]);
	free(samples);
	return error;
}
