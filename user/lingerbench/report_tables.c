/* SPDX-License-Identifier: MIT */
#include "lingerbench/report_tables.h"

#include "lingerbench/chart.h"
#include "lingerbench/html.h"

enum cell_kind {
	CELL_COUNT,
	CELL_LOSS, /* a count that should be 0 */
	CELL_TIME,
};

struct column {
	const char *name; /* in summary.csv */
	enum cell_kind kind;
	const char *head;
};

static const struct column verdict_columns[] = {
	{ "connections", CELL_COUNT, "conns" },
	{ "complete", CELL_COUNT, "complete" },
	{ "truncated", CELL_LOSS, "truncated" },
	{ "timeout", CELL_LOSS, "timed out" },
	{ "corrupt", CELL_LOSS, "corrupt" },
	{ "failed", CELL_LOSS, "failed" },
	{ "worker_hold_us_p50", CELL_TIME, "worker hold p50" },
	{ "worker_hold_us_p99", CELL_TIME, "p99" },
	{ "fin_wait_2_us_p50", CELL_TIME, "FIN_WAIT_2 p50" },
	{ "fin_wait_2_us_p99", CELL_TIME, "p99" },
	{ "throughput_per_s", CELL_COUNT, "whole resp./s" },
	{ "cpu_us_per_connection", CELL_TIME, "CPU/conn" },
	{ NULL, CELL_COUNT, NULL },
};

static const struct column arrival_columns[] = {
	{ "offered_per_s", CELL_COUNT, "offered/s" },
	{ "achieved_per_s", CELL_COUNT, "begun/s" },
	{ "dropped", CELL_LOSS, "dropped" },
	{ "response_us_p50", CELL_TIME, "response p50" },
	{ "response_us_p99", CELL_TIME, "p99" },
	{ NULL, CELL_COUNT, NULL },
};

static void write_cell(FILE *out, const struct csvtable *summary, size_t row,
		       const struct column *column)
{
	double value;
	bool known = csvtable_number(summary, row, column->name, &value);

	fprintf(out,
		column->kind == CELL_LOSS && known && value > 0 ? "<td class=\"bad\">" : "<td>");
	if (!known)
		fprintf(out, "&ndash;");
	else if (column->kind == CELL_TIME)
		chart_time(out, value);
	else
		fprintf(out, "%.0f", value);
	fprintf(out, "</td>");
}

static void write_row(FILE *out, const struct report_data *data, size_t arm, size_t row,
		      const struct column *columns)
{
	fprintf(out, "<tr><td class=\"name\">");
	html_text(out, report_data_name(data, arm).text);
	fprintf(out, "</td>");
	for (; columns->name; columns++)
		write_cell(out, &data->summary, row, columns);
	fprintf(out, "</tr>\n");
}

static void write_peer(FILE *out, const struct report_data *data, size_t peer,
		       const struct column *columns)
{
	size_t count = 0, row;

	while (columns[count].name)
		count++;
	fprintf(out, "<tr class=\"peer\"><th class=\"name\" scope=\"rowgroup\">peer: ");
	html_text(out, data->peers[peer]);
	fprintf(out, "</th><td colspan=\"%zu\"></td></tr>\n", count);
	for (size_t arm = 0; arm < data->arm_count; arm++)
		if (report_data_row(data, arm, peer, &row))
			write_row(out, data, arm, row, columns);
}

static void write_table(FILE *out, const struct report_data *data, const char *title,
			const struct column *columns)
{
	/* What scrolls can be reached by keyboard. */
	fprintf(out,
		"<div class=\"wide\" role=\"region\" aria-label=\"%s\" tabindex=\"0\">"
		"<table><thead><tr><th class=\"name\">%s</th>",
		title, data->many_servers ? "server/strategy" : "strategy");
	for (const struct column *column = columns; column->name; column++)
		fprintf(out, "<th>%s</th>", column->head);
	fprintf(out, "</tr></thead>\n<tbody>\n");
	for (size_t peer = 0; peer < data->peer_count; peer++)
		write_peer(out, data, peer, columns);
	fprintf(out, "</tbody></table></div>\n");
}

void report_verdict(FILE *out, const struct report_data *data)
{
	fprintf(out, "<section><h2>Verdict</h2>\n");
	write_table(out, data, "Verdict", verdict_columns);
	fprintf(out,
		"<p class=\"dim\">A dash is a figure that is not known. FIN_WAIT_2 is given where "
		"the tracer saw the true end of every stay.</p></section>\n");
}

void report_arrivals(FILE *out, const struct report_data *data)
{
	double dropped;

	if (!data->arm_count || !csvtable_number(&data->summary, 0, "dropped", &dropped))
		return;
	fprintf(out,
		"<section><h2>Arrivals</h2>\n<p class=\"dim\">Clients came by a schedule. Who "
		"found "
		"all places taken was dropped; the others&rsquo; responses took so long from when "
		"they were to come.</p>\n");
	write_table(out, data, "Arrivals", arrival_columns);
	fprintf(out, "</section>\n");
}
