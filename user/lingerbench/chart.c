/* SPDX-License-Identifier: MIT */
#include "lingerbench/chart.h"

#include <math.h>
#include <string.h>

#include "lingerbench/html.h"
#include "lingerbench/verdict.h"

/* Half a dot has room beside the ends of an axis. */
static const double margin_percent = 2;
enum { LABELS_MOST = 5 };

static void add_tick(struct axis *axis, double value)
{
	double place = log10(value);

	if (axis->tick_count < AXIS_TICKS && place > axis->low - 1e-9 && place < axis->high + 1e-9)
		axis->ticks[axis->tick_count++] = value;
}

static void add_powers(struct axis *axis, bool between)
{
	for (int power = (int)floor(axis->low); power <= (int)ceil(axis->high); power++) {
		double ten = pow(10, power);

		add_tick(axis, ten);
		if (between) {
			add_tick(axis, 2 * ten);
			add_tick(axis, 5 * ten);
		}
	}
}

struct axis axis_of_times(double low_us, double high_us)
{
	struct axis axis = { .low = floor(log10(low_us < 0.1 ? 0.1 : low_us)),
			     .high = ceil(log10(high_us < 0.1 ? 0.1 : high_us)) };

	if (axis.high <= axis.low)
		axis.high = axis.low + 1;
	add_powers(&axis, false);
	return axis;
}

/* The next of 1, 2, 5, 10, ... */
static double round_step(double step)
{
	double ten = pow(10, floor(log10(step)));

	if (step <= ten)
		return ten;
	return step <= 2 * ten ? 2 * ten : step <= 5 * ten ? 5 * ten : 10 * ten;
}

struct axis axis_of_ratios(double low, double high)
{
	struct axis axis = { .of_ratios = true };
	double step;

	/* A tenth around 1 at least, so that nothing looks larger than it is. */
	low = fmin(low > 0 ? low : 0.01, 0.9);
	high = fmax(high, 1.1);
	axis.low = log10(low) - 0.01;
	axis.high = log10(high) + 0.01;
	if (high / low >= 4) {
		add_powers(&axis, high / low < 100);
		return axis;
	}
	step = round_step((high - low) / 4);
	for (int i = (int)ceil(low / step); i * step < high * 1.03; i++)
		add_tick(&axis, i * step);
	return axis;
}

double axis_percent(const struct axis *axis, double value)
{
	double place = value > 0 ? (log10(value) - axis->low) / (axis->high - axis->low) : 0;

	return margin_percent + (100 - 2 * margin_percent) * fmin(fmax(place, 0), 1);
}

void chart_ratio(FILE *out, double ratio)
{
	fprintf(out, ratio < 1000 ? "%.3g" : "%.0f", ratio);
}

void chart_time(FILE *out, double us)
{
	struct figure figure = verdict_us(us);
	const char *unit = strchr(figure.text, ' ');

	fprintf(out, "%.*s&nbsp;%s", (int)(unit - figure.text), figure.text,
		strcmp(unit, " us") != 0 ? unit + 1 : "&micro;s");
}

void chart_tick(FILE *out, const struct axis *axis, double value)
{
	if (axis->of_ratios)
		fprintf(out, "&times;%.6g", value);
	else if (value < 999)
		fprintf(out, "%g&nbsp;&micro;s", value);
	else
		fprintf(out, value < 999e3 ? "%g&nbsp;ms" : "%g&nbsp;s",
			value < 999e3 ? value / 1e3 : value / 1e6);
}

int chart_width_of(size_t characters)
{
	return (int)characters * 7;
}

void chart_begin_panels(FILE *out, int least_width)
{
	fprintf(out, "<div class=\"panels\" style=\"--least:%dpx\">\n", least_width);
}

void chart_open(FILE *out, const char *peer, const char *title, int height)
{
	fprintf(out, "<figure><figcaption>peer: ");
	html_text(out, peer);
	fprintf(out, "</figcaption>\n<svg height=\"%d\" role=\"img\" ", height);
	fprintf(out, "aria-label=\"");
	html_text(out, title);
	fprintf(out, ", peer ");
	html_text(out, peer);
	fprintf(out, "\">\n");
}

void chart_close(FILE *out)
{
	fprintf(out, "</svg></figure>\n");
}

void chart_text(FILE *out, double percent, int y, const char *anchor, const char *class)
{
	fprintf(out, "<text x=\"%.1f%%\" y=\"%d\"", percent, y);
	if (strcmp(anchor, "start") != 0)
		fprintf(out, " text-anchor=\"%s\"", anchor);
	if (class)
		fprintf(out, " class=\"%s\"", class);
	fprintf(out, ">");
}

void chart_label(FILE *out, int y, const char *text)
{
	chart_text(out, 0, y + 12, "start", NULL);
	html_text(out, text);
	fprintf(out, "</text>");
}

/* Near an end it begins or ends there, so that it stays within the drawing. */
static void draw_tick_label(FILE *out, const struct axis *axis, double value, int bottom)
{
	double percent = axis_percent(axis, value);

	if (percent < 10)
		chart_text(out, percent - margin_percent, bottom + 15, "start", "dim");
	else if (percent > 90)
		chart_text(out, percent + margin_percent, bottom + 15, "end", "dim");
	else
		chart_text(out, percent, bottom + 15, "middle", "dim");
	chart_tick(out, axis, value);
	fprintf(out, "</text>\n");
}

static void draw_axis(FILE *out, const struct axis *axis, int bottom)
{
	size_t every = (axis->tick_count + LABELS_MOST - 1) / LABELS_MOST;

	for (size_t i = 0; i < axis->tick_count; i++) {
		double percent = axis_percent(axis, axis->ticks[i]);
		bool is_1 = axis->of_ratios && fabs(axis->ticks[i] - 1) < 1e-9;

		fprintf(out, "<line class=\"%s\" x1=\"%.1f%%\" x2=\"%.1f%%\" y1=\"0\" y2=\"%d\"/>",
			is_1 ? "one" : "grid", percent, percent, bottom);
		if (i % every == 0)
			draw_tick_label(out, axis, axis->ticks[i], bottom);
	}
}

static size_t count_rows(const struct row_chart *chart, size_t peer)
{
	size_t rows = 0;

	for (size_t arm = 0; arm < chart->data->arm_count; arm++)
		rows += chart->has(chart, arm, peer);
	return rows;
}

static void draw_rows(FILE *out, const struct row_chart *chart, size_t peer)
{
	int y = 0, bottom = (int)count_rows(chart, peer) * chart->row_height;

	if (!bottom)
		return;
	chart_open(out, chart->data->peers[peer], chart->title,
		   bottom + (chart->axis ? AXIS_HEIGHT : 0));
	if (chart->axis)
		draw_axis(out, chart->axis, bottom);
	for (size_t arm = 0; arm < chart->data->arm_count; arm++) {
		if (!chart->has(chart, arm, peer))
			continue;
		chart->draw(out, chart, arm, peer, y);
		fprintf(out, "\n");
		y += chart->row_height;
	}
	chart_close(out);
}

void chart_rows(FILE *out, const struct row_chart *chart)
{
	chart_begin_panels(out, chart->least_width);
	for (size_t peer = 0; peer < chart->data->peer_count; peer++)
		draw_rows(out, chart, peer);
	fprintf(out, "</div>\n");
}
