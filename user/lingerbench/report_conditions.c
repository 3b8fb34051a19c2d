/* SPDX-License-Identifier: MIT */
#include "lingerbench/report_conditions.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lingerbench/html.h"

const char *report_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static void write_item(FILE *out, const char *before, const char *text)
{
	fprintf(out, "<li>%s", before);
	html_text(out, text);
	fprintf(out, "</li>\n");
}

void report_warnings(FILE *out, const json_t *run)
{
	const json_t *warnings = json_object_get(run, "warnings");
	const json_t *trace = json_object_get(run, "trace");
	bool traced = json_is_true(json_object_get(trace, "traced"));
	size_t i;
	json_t *warning;

	if (!json_array_size(warnings) && traced)
		return;
	fprintf(out, "<section><h2>Warnings</h2>\n<ul>");
	if (!traced)
		write_item(out, "Not traced, the tracer&rsquo;s columns are empty: ",
			   report_text(trace, "reason"));
	json_array_foreach (warnings, i, warning) {
		write_item(out, "", json_string_value(warning) ? json_string_value(warning) : "");
	}
	fprintf(out, "</ul></section>\n");
}

/* Lists of names read better without JSON's signs. */
static void write_value(FILE *out, json_t *value)
{
	char *other;

	if (json_is_string(value)) {
		html_text(out, json_string_value(value));
		return;
	}
	if (json_is_array(value)) {
		size_t i;
		json_t *item;

		json_array_foreach (value, i, item) {
			fprintf(out, i ? ", " : "");
			write_value(out, item);
		}
		return;
	}
	other = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(6));
	html_text(out, other ? other : "");
	free(other);
}

/* All members, but one that is shown elsewhere. */
static void write_pairs(FILE *out, json_t *object, const char *but)
{
	const char *key;
	json_t *value;

	fprintf(out, "<dl>");
	json_object_foreach (object, key, value) {
		if (but && !strcmp(key, but))
			continue;
		fprintf(out, "<dt>");
		html_text(out, key);
		fprintf(out, "</dt><dd>");
		write_value(out, value);
		fprintf(out, "</dd>\n");
	}
	fprintf(out, "</dl>\n");
}

static void write_details(FILE *out, const char *title, bool open, json_t *object, const char *but)
{
	fprintf(out, "<details%s><summary>%s</summary>", open ? " open" : "", title);
	write_pairs(out, object, but);
	fprintf(out, "</details>\n");
}

void report_conditions(FILE *out, const json_t *run)
{
	json_t *environment = json_object_get(run, "environment");

	fprintf(out, "<section><h2>Repeat it</h2>\n<pre>");
	html_text(out, report_text(run, "command"));
	fprintf(out, "</pre></section>\n<section><h2>Environment</h2>\n");
	write_details(out, "Machine", true, environment, "sysctl");
	write_details(out, "Scenario", true, json_object_get(run, "scenario"), NULL);
	write_details(out, "Tracer", true, json_object_get(run, "trace"), NULL);
	write_details(out, "Kernel counters that grew", false, json_object_get(run, "counters"),
		      NULL);
	write_details(out, "System settings", false, json_object_get(environment, "sysctl"), NULL);
	fprintf(out, "</section>\n");
}
