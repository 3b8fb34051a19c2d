/* SPDX-License-Identifier: MIT */
#include "lingerbench/chart_outcomes.h"

#include <string.h>

#include "lingerbench/chart.h"
#include "lingerbench/html.h"

enum { BAR = 12, ROW = ROW_LABEL + BAR + 10, LEAST = 300 };

struct part {
	const char *column;
	const char *word;
	const char *color;
};

static const struct part parts[] = {
	{ "complete", "complete", "good" },
	{ "truncated", "truncated", "bad" },
	{ "timeout", "timed out", "odd" },
	{ "corrupt", "corrupt", "odd" },
	{ "failed", "failed", "odd" },
	/* Of an open loop: came, and found no place. */
	{ "dropped", "dropped", "gone" },
};

enum { PARTS = sizeof(parts) / sizeof(parts[0]) };

static double part_of(const struct report_data *data, size_t row, size_t part)
{
	double count = 0;

	csvtable_number(&data->summary, row, parts[part].column, &count);
	return count;
}

static void draw_bar(FILE *out, const struct report_data *data, size_t row, int y)
{
	double all = 0, percent = 0;

	for (size_t i = 0; i < PARTS; i++)
		all += part_of(data, row, i);
	for (size_t i = 0; i < PARTS; i++) {
		double count = part_of(data, row, i), width = all > 0 ? count / all * 100 : 0;

		if (count > 0)
			fprintf(out,
				"<rect x=\"%.2f%%\" y=\"%d\" width=\"%.2f%%\" height=\"%d\" "
				"fill=\"var(--%s)\"><title>%.0f %s</title></rect>",
				percent, y, width, BAR, parts[i].color, count, parts[i].word);
		percent += width;
	}
}

static void draw_counts(FILE *out, const struct report_data *data, size_t row, int y)
{
	bool begun = false;

	chart_text(out, 100, y + 12, "end", "dim");
	for (size_t i = 0; i < PARTS; i++) {
		double count = part_of(data, row, i);

		if (count <= 0)
			continue;
		fprintf(out, "%s%.0f&nbsp;%s", begun ? ", " : "", count, parts[i].word);
		begun = true;
	}
	fprintf(out, "</text>");
}

static bool has(const struct row_chart *chart, size_t arm, size_t peer)
{
	size_t row;

	return report_data_row(chart->data, arm, peer, &row);
}

static void draw(FILE *out, const struct row_chart *chart, size_t arm, size_t peer, int y)
{
	size_t row = 0;

	report_data_row(chart->data, arm, peer, &row);
	chart_label(out, y, report_data_name(chart->data, arm).text);
	draw_counts(out, chart->data, row, y);
	draw_bar(out, chart->data, row, y + ROW_LABEL);
}

/* The longest label and its counts side by side. */
static int least_width(const struct report_data *data)
{
	size_t most = 0;

	for (size_t arm = 0; arm < data->arm_count; arm++) {
		for (size_t peer = 0; peer < data->peer_count; peer++) {
			size_t row, length = strlen(report_data_name(data, arm).text) + 1;

			if (!report_data_row(data, arm, peer, &row))
				continue;
			for (size_t i = 0; i < PARTS; i++)
				if (part_of(data, row, i) > 0)
					length += (size_t)snprintf(NULL, 0, "%.0f %s, ",
								   part_of(data, row, i),
								   parts[i].word);
			most = length > most ? length : most;
		}
	}
	return chart_width_of(most) > LEAST ? chart_width_of(most) : LEAST;
}

static void write_key(FILE *out, const struct report_data *data)
{
	static const char *const words[] = { "complete", "truncated",
					     "timed out, corrupt or failed",
					     "dropped: came, and found no place" };
	static const char *const colors[] = { "good", "bad", "odd", "gone" };
	double dropped;
	size_t count =
		csvtable_number(&data->summary, 0, parts[PARTS - 1].column, &dropped) ? 4 : 3;

	fprintf(out, "<p class=\"keys\">");
	for (size_t i = 0; i < count; i++)
		fprintf(out,
			"<span><span class=\"key\" "
			"style=\"background:var(--%s)\"></span>%s</span> ",
			colors[i], words[i]);
	fprintf(out, "</p>\n");
}

void chart_outcomes(FILE *out, const struct report_data *data)
{
	struct row_chart chart = { .data = data,
				   .title = "Outcomes",
				   .row_height = ROW,
				   .least_width = least_width(data),
				   .has = has,
				   .draw = draw };

	if (!data->arm_count)
		return;
	fprintf(out, "<section><h2>What became of the responses</h2>\n");
	write_key(out, data);
	chart_rows(out, &chart);
	fprintf(out, "</section>\n");
}
