/* SPDX-License-Identifier: MIT */
#include "lingerbench/report.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "lingerbench/chart_outcomes.h"
#include "lingerbench/chart_times.h"
#include "lingerbench/html.h"
#include "lingerbench/report_conditions.h"
#include "lingerbench/report_data.h"
#include "lingerbench/report_differences.h"
#include "lingerbench/report_style.h"
#include "lingerbench/report_tables.h"

static void write_head(FILE *out, const json_t *run)
{
	const json_t *scenario = json_object_get(run, "scenario");

	fprintf(out, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
		     "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
		     "<meta name=\"color-scheme\" content=\"light dark\"><title>");
	html_text(out, report_text(scenario, "name"));
	fprintf(out, " &ndash; lingerbench</title>\n<style>%s</style></head>\n<body>\n<h1>",
		report_style);
	html_text(out, report_text(scenario, "title"));
	fprintf(out, "</h1>\n<p class=\"dim\">Scenario ");
	html_text(out, report_text(scenario, "name"));
	fprintf(out, ", ");
	html_text(out, report_text(run, "started_utc"));
	fprintf(out, ", commit ");
	html_text(out, report_text(run, "commit"));
	fprintf(out, ", kernel ");
	html_text(out, report_text(json_object_get(run, "environment"), "kernel"));
	fprintf(out, "</p>\n");
}

static const char span_key[] =
	" Dot: median; thick line: to the 90th percentile; ring: 99th; thin line: to the longest.";

static void begin_section(FILE *out, const char *title, const char *explanation)
{
	fprintf(out, "<section><h2>%s</h2>\n<p class=\"dim\">%s%s</p>\n", title, explanation,
		span_key);
}

static int write_times(FILE *out, const struct report_data *data, const char *column,
		       const char *title, const char *explanation)
{
	struct spread spread = { .data = data, .column = column };
	struct axis axis;
	int error = spread_read(&spread);

	if (!error && spread_axis(&spread, 1, 0.5, &axis)) {
		begin_section(out, title, explanation);
		chart_spans(out, &spread, 1, &axis, title);
		fprintf(out,
			"<h3>%s: distribution</h3>\n<p class=\"dim\">At the bottom the "
			"percentile p, on an axis of 1/(1&minus;p), so that the slowest have "
			"room.</p>\n",
			title);
		error = chart_curves(out, &spread, title);
		fprintf(out, "</section>\n");
	}
	spread_free(&spread);
	return error;
}

static int write_states(FILE *out, const struct report_data *data)
{
	static const char title[] = "Stays in the states of TCP";
	struct spread states[] = {
		{ .data = data, .column = "fin_wait_1_us", .word = "FIN_WAIT_1" },
		{ .data = data, .column = "fin_wait_2_us", .word = "FIN_WAIT_2" },
	};
	enum { STATES = sizeof(states) / sizeof(states[0]) };
	struct axis axis;
	int error = 0;

	for (size_t i = 0; i < STATES && !error; i++)
		error = spread_read(&states[i]);
	if (!error && spread_axis(states, STATES, 0.5, &axis)) {
		begin_section(out, title,
			      "How long the server&rsquo;s side waited for the acknowledgement of "
			      "its FIN (FIN_WAIT_1) and then for the peer&rsquo;s (FIN_WAIT_2), "
			      "whoever held the socket. A dash: there was no such stay, or, of "
			      "FIN_WAIT_2, the tracer did not see all of their ends; FIN_WAIT_1 "
			      "is of those that it saw.");
		chart_spans(out, states, STATES, &axis, title);
		fprintf(out, "</section>\n");
	}
	for (size_t i = 0; i < STATES; i++)
		spread_free(&states[i]);
	return error;
}

static int write_all(FILE *out, const struct report_data *data)
{
	int error;

	write_head(out, data->run);
	report_verdict(out, data);
	report_arrivals(out, data);
	report_warnings(out, data->run);
	chart_outcomes(out, data);
	error = report_differences(out, data);
	if (!error)
		error = write_times(out, data, "worker_hold_us", "Worker hold",
				    "From the last write() of the response to the moment the "
				    "worker is free.");
	if (!error)
		error = write_times(out, data, "response_us", "Response",
				    "From connect(), in an open loop from when the client was to "
				    "come, to the last byte that came.");
	if (!error)
		error = write_states(out, data);
	report_conditions(out, data->run);
	fprintf(out, "</body></html>\n");
	return error;
}

/* Under another name until it is whole. */
static int write_file(const char *folder, const struct report_data *data)
{
	char path[PATH_MAX], fresh[PATH_MAX];
	int error;
	FILE *out;

	snprintf(path, sizeof(path), "%s/report.html", folder);
	snprintf(fresh, sizeof(fresh), "%s/.report.html", folder);
	out = fopen(fresh, "we");
	if (!out)
		return -errno;
	errno = 0;
	error = write_all(out, data);
	if ((ferror(out) | fclose(out)) && !error)
		error = errno ? -errno : -EIO;
	if (!error && rename(fresh, path))
		error = -errno;
	if (error)
		remove(fresh);
	return error;
}

int report_write(const char *folder)
{
	struct report_data data;
	int error = report_data_read(&data, folder);

	if (error)
		return error;
	error = write_file(folder, &data);
	if (error)
		log_error("cannot write %s/report.html: %s", folder, strerror(-error));
	report_data_free(&data);
	return error;
}
