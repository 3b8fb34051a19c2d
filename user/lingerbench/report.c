/* SPDX-License-Identifier: MIT */
#include "lingerbench/report.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "lingerbench/charts.h"
#include "lingerbench/csvtable.h"
#include "lingerbench/html.h"
#include "lingerbench/verdict.h"

struct report {
	FILE *out;
	json_t *run; /* run.json */
	struct csvtable summary;
	struct csvtable connections;
};

static const char style[] =
	":root{--ink:#1c2330;--dim:#5d6675;--line:#d9dde4;--back:#fff;--good:#2f7d5b;--bad:#c2412d;"
	"--odd:#8a7bb8;--mark:#2b5fa8}"
	"@media(prefers-color-scheme:dark){:root{--ink:#e4e7ec;--dim:#9aa3b2;--line:#343b48;"
	"--back:#14171d;--good:#4fae84;--bad:#e8705c;--odd:#a99bd6;--mark:#7aa7e8}}"
	"body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--back);margin:0 "
	"auto;"
	"max-width:68rem;padding:1.5rem}"
	"h1{font-size:1.5rem;margin:.2rem 0}h2{font-size:1.1rem;margin:2.2rem 0 .5rem}"
	".dim{color:var(--dim)}.wide{overflow-x:auto}"
	"table{border-collapse:collapse;font-variant-numeric:tabular-nums;}"
	"th,td{padding:.25rem .6rem;text-align:right;border-bottom:1px solid var(--line)}"
	"td{white-space:nowrap}th{font-weight:600;color:var(--dim);vertical-align:bottom}td.name,"
	"th.name{text-align:left}"
	"tr.peer td{padding-top:1rem;font-weight:600;text-align:left}"
	"td.bad{color:var(--bad);font-weight:600}"
	"svg{max-width:100%;height:auto;display:block}svg text{font:12px "
	"system-ui,sans-serif;fill:var(--ink)}"
	"svg text.dim{fill:var(--dim)}"
	"pre{white-space:pre-wrap;overflow-wrap:anywhere;border:1px solid "
	"var(--line);padding:.6rem}"
	"dl{display:grid;grid-template-columns:max-content 1fr;gap:.1rem 1rem}dt{color:var(--dim)}"
	"dd{margin:0;overflow-wrap:anywhere}details{margin:.5rem 0}"
	".key{display:inline-block;width:.8em;height:.8em;margin:0 .3em 0 1em}"
	"@media print{body{max-width:none}}";

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static void write_head(const struct report *report)
{
	const json_t *scenario = json_object_get(report->run, "scenario");

	fprintf(report->out,
		"<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
		"<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>");
	html_text(report->out, text_of(scenario, "name"));
	fprintf(report->out, " - lingerbench</title><style>%s</style></head>\n<body>\n<h1>", style);
	html_text(report->out, text_of(scenario, "title"));
	fprintf(report->out, "</h1>\n<p class=\"dim\">Scenario ");
	html_text(report->out, text_of(scenario, "name"));
	fprintf(report->out, ", ");
	html_text(report->out, text_of(report->run, "started_utc"));
	fprintf(report->out, ", commit ");
	html_text(report->out, text_of(report->run, "commit"));
	fprintf(report->out, ", kernel ");
	html_text(report->out, text_of(json_object_get(report->run, "environment"), "kernel"));
	fprintf(report->out, "</p>\n");
}

static void write_warnings(const struct report *report)
{
	const json_t *warnings = json_object_get(report->run, "warnings");
	const json_t *trace = json_object_get(report->run, "trace");
	size_t i;
	json_t *warning;

	if (!json_array_size(warnings) && json_is_true(json_object_get(trace, "traced")))
		return;
	fprintf(report->out, "<h2>Warnings</h2>\n<ul>");
	if (!json_is_true(json_object_get(trace, "traced"))) {
		fprintf(report->out, "<li>Not traced, the tracer's columns are empty: ");
		html_text(report->out, text_of(trace, "reason"));
		fprintf(report->out, "</li>");
	}
	json_array_foreach (warnings, i, warning) {
		fprintf(report->out, "<li>");
		html_text(report->out, json_string_value(warning));
		fprintf(report->out, "</li>");
	}
	fprintf(report->out, "</ul>\n");
}

static void write_cell(const struct report *report, const char *class, const char *text)
{
	fprintf(report->out, "<td%s%s%s>", class ? " class=\"" : "", class ? class : "",
		class ? "\"" : "");
	html_text(report->out, text);
	fprintf(report->out, "</td>");
}

static void write_verdict_row(const struct report *report, size_t row)
{
	static const char *const counts[] = { "connections", "complete", "truncated" };
	static const char *const times[] = { "worker_hold_us_p50", "worker_hold_us_p99",
					     "fin_wait_2_us_p50", "fin_wait_2_us_p99" };
	const struct csvtable *summary = &report->summary;
	double truncated;

	fprintf(report->out, "<tr>");
	write_cell(report, "name", verdict_label(summary, row).text);
	for (size_t i = 0; i < 3; i++) {
		bool bad = i == 2 && csvtable_number(summary, row, counts[i], &truncated) &&
			   truncated > 0;

		write_cell(report, bad ? "bad" : NULL, verdict_count(summary, row, counts[i]).text);
	}
	for (size_t i = 0; i < 4; i++)
		write_cell(report, NULL, verdict_time(summary, row, times[i]).text);
	write_cell(report, NULL, verdict_count(summary, row, "throughput_per_s").text);
	write_cell(report, NULL, verdict_time(summary, row, "cpu_us_per_connection").text);
	fprintf(report->out, "</tr>\n");
}

static void write_verdict(const struct report *report)
{
	const struct csvtable *summary = &report->summary;
	const char *peer = "";

	fprintf(report->out,
		"<div class=\"wide\"><table><thead><tr><th class=\"name\">strategy</th>"
		"<th>conns</th><th>complete</th><th>truncated</th><th>worker hold p50</th>"
		"<th>p99</th><th>FIN_WAIT_2 p50</th><th>p99</th><th>responses/s</th>"
		"<th>CPU/conn</th></tr></thead>\n<tbody>\n");
	for (size_t row = 0; row < summary->row_count; row++) {
		if (strcmp(peer, csvtable_text(summary, row, "peer"))) {
			peer = csvtable_text(summary, row, "peer");
			fprintf(report->out, "<tr class=\"peer\"><td colspan=\"10\">peer: ");
			html_text(report->out, peer);
			fprintf(report->out, "</td></tr>\n");
		}
		write_verdict_row(report, row);
	}
	fprintf(report->out, "</tbody></table></div>\n<p class=\"dim\">A dash is a figure that is "
			     "not known. FIN_WAIT_2 is given where the tracer saw the true end of "
			     "every stay.</p>\n");
}

/* Of an open loop. */
static void write_arrivals(const struct report *report)
{
	static const char *const counts[] = { "offered_per_s", "achieved_per_s", "dropped" };
	static const char *const times[] = { "response_us_p50", "response_us_p99" };
	const struct csvtable *summary = &report->summary;
	double dropped;

	if (!summary->row_count || !csvtable_number(summary, 0, "dropped", &dropped))
		return;
	fprintf(report->out,
		"<h2>Arrivals</h2>\n<p class=\"dim\">Clients came by a schedule. Who found all "
		"places "
		"taken was dropped; the others' responses took so long from when they were to "
		"come.</p>\n"
		"<div class=\"wide\"><table><thead><tr><th class=\"name\">strategy</th>"
		"<th class=\"name\">peer</th><th>offered/s</th><th>begun/s</th><th>dropped</th>"
		"<th>response p50</th><th>p99</th></tr></thead>\n<tbody>\n");
	for (size_t row = 0; row < summary->row_count; row++) {
		bool bad = csvtable_number(summary, row, "dropped", &dropped) && dropped > 0;

		fprintf(report->out, "<tr>");
		write_cell(report, "name", verdict_label(summary, row).text);
		write_cell(report, "name", csvtable_text(summary, row, "peer"));
		for (size_t i = 0; i < 3; i++)
			write_cell(report, bad && i == 2 ? "bad" : NULL,
				   verdict_count(summary, row, counts[i]).text);
		for (size_t i = 0; i < 2; i++)
			write_cell(report, NULL, verdict_time(summary, row, times[i]).text);
		fprintf(report->out, "</tr>\n");
	}
	fprintf(report->out, "</tbody></table></div>\n");
}

static void write_pairs(const struct report *report, json_t *object)
{
	const char *key;
	json_t *value;

	fprintf(report->out, "<dl>");
	json_object_foreach (object, key, value) {
		char *other = json_is_string(value)
				      ? NULL
				      : json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);

		fprintf(report->out, "<dt>");
		html_text(report->out, key);
		fprintf(report->out, "</dt><dd>");
		html_text(report->out, other ? other : json_string_value(value));
		fprintf(report->out, "</dd>");
		free(other);
	}
	fprintf(report->out, "</dl>\n");
}

static void write_conditions(const struct report *report)
{
	json_t *environment = json_object_get(report->run, "environment");
	json_t *sysctls = json_object_get(environment, "sysctl");

	fprintf(report->out, "<h2>Repeat it</h2>\n<pre>");
	html_text(report->out, text_of(report->run, "command"));
	fprintf(report->out,
		"</pre>\n<h2>Conditions</h2>\n<details open><summary>Scenario</summary>");
	write_pairs(report, json_object_get(report->run, "scenario"));
	fprintf(report->out, "</details>\n<details><summary>Kernel counters that grew</summary>");
	write_pairs(report, json_object_get(report->run, "counters"));
	fprintf(report->out, "</details>\n<details><summary>Tracer</summary>");
	write_pairs(report, json_object_get(report->run, "trace"));
	fprintf(report->out, "</details>\n<details><summary>System settings</summary>");
	write_pairs(report, sysctls);
	fprintf(report->out, "</details>\n<details><summary>Machine</summary>");
	json_incref(sysctls);
	json_object_del(environment, "sysctl"); /* shown above */
	write_pairs(report, environment);
	json_decref(sysctls);
	fprintf(report->out, "</details>\n</body></html>\n");
}

static int write_all(const struct report *report)
{
	int error;

	write_head(report);
	write_verdict(report);
	write_arrivals(report);
	write_warnings(report);
	charts_outcomes(report->out, &report->summary);
	error = charts_spans(report->out, &report->summary, &report->connections, "worker_hold_us",
			     "Worker hold",
			     "From the last write() of the response to the moment the worker is "
			     "free: median, 90th, 99th percentile and the longest.");
	if (!error)
		error = charts_spans(
			report->out, &report->summary, &report->connections, "response_us",
			"Response",
			"From connect(), in an open loop from when the client was to come, to the "
			"last byte that came: median, 90th, 99th percentile and the longest.");
	if (!error)
		error = charts_spans(report->out, &report->summary, &report->connections,
				     "fin_wait_2_us", "FIN_WAIT_2",
				     "How long the server's side waited for the peer's FIN, where "
				     "its "
				     "true end is known.");
	write_conditions(report);
	return error;
}

static int load(struct report *report, const char *folder)
{
	char path[PATH_MAX];
	int error;

	snprintf(path, sizeof(path), "%s/summary.csv", folder);
	error = csvtable_read(&report->summary, path);
	if (error)
		return error;
	snprintf(path, sizeof(path), "%s/connections.csv", folder);
	error = csvtable_read(&report->connections, path);
	if (error)
		return error;
	snprintf(path, sizeof(path), "%s/run.json", folder);
	report->run = json_load_file(path, 0, NULL);
	return json_is_object(report->run) ? 0 : -EBADMSG;
}

int report_write(const char *folder)
{
	struct report report = { 0 };
	char path[PATH_MAX], fresh[PATH_MAX];
	int error = load(&report, folder);

	snprintf(path, sizeof(path), "%s/report.html", folder);
	snprintf(fresh, sizeof(fresh), "%s/.report.html", folder);
	if (!error) {
		report.out = fopen(fresh, "we");
		error = report.out ? write_all(&report) : -errno;
	}
	if (report.out && (ferror(report.out) | fclose(report.out)) && !error)
		error = errno ? -errno : -EIO;
	if (!error && rename(fresh, path))
		error = -errno;
	if (error && report.out)
		remove(fresh);
	json_decref(report.run);
	csvtable_free(&report.summary);
	csvtable_free(&report.connections);
	return error;
}
