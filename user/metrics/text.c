/* SPDX-License-Identifier: MIT */
#include "metrics/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"

struct metrics_text {
	enum metrics_form form;
	enum metrics_type type; /* of the family */
	const char *name;	/* of the family */
	int error;
	size_t used;
	size_t size;
	char *bytes;
};

struct metrics_text *metrics_text_new(void)
{
	return calloc(1, sizeof(struct metrics_text));
}

void metrics_text_free(struct metrics_text *text)
{
	if (text)
		free(text->bytes);
	free(text);
}

void metrics_text_begin(struct metrics_text *text, enum metrics_form form)
{
	text->form = form;
	text->used = 0;
	text->error = 0;
}

static void append(struct metrics_text *text, const char *bytes, size_t length)
{
	if (text->used + length > text->size) {
		size_t size = (text->used + length) * 2 + 4096;
		char *grown = realloc(text->bytes, size);

		if (!grown) {
			text->error = -ENOMEM;
			return;
		}
		text->bytes = grown;
		text->size = size;
	}
	memcpy(text->bytes + text->used, bytes, length);
	text->used += length;
}

__attribute__((format(printf, 2, 3))) static void print(struct metrics_text *text,
							const char *format, ...)
{
	char line[512];
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	if (length >= (int)sizeof(line))
		length = sizeof(line) - 1;
	append(text, line, (size_t)length);
}

/* The value of a label, in both forms. */
static void append_escaped(struct metrics_text *text, const char *value)
{
	for (; *value; value++) {
		if (*value == '\n')
			append(text, "\\n", 2);
		else if (*value == '"' || *value == '\\')
			print(text, "\\%c", *value);
		else
			append(text, value, 1);
	}
}

/* To Prometheus' older format, "_total" is part of a counter's name. */
static const char *family_suffix(const struct metrics_text *text)
{
	return text->form == METRICS_PROMETHEUS && text->type == METRICS_COUNTER ? "_total" : "";
}

void metrics_family(struct metrics_text *text, enum metrics_type type, const char *name,
		    const char *unit, const char *help)
{
	static const char *const types[] = {
		[METRICS_COUNTER] = "counter",
		[METRICS_GAUGE] = "gauge",
		[METRICS_HISTOGRAM] = "histogram",
	};

	text->type = type;
	text->name = name;
	print(text, "# HELP %s%s %s\n", name, family_suffix(text), help);
	print(text, "# TYPE %s%s %s\n", name, family_suffix(text), types[type]);
	if (unit && text->form == METRICS_OPENMETRICS)
		print(text, "# UNIT %s %s\n", name, unit);
}

/* bound: of a bucket, or NULL. */
static void append_sample(struct metrics_text *text, const char *suffix,
			  const struct metrics_label *labels, const char *bound)
{
	const char *before = "{";

	print(text, "%s%s", text->name, suffix);
	for (; labels && labels->name; labels++) {
		print(text, "%s%s=\"", before, labels->name);
		append_escaped(text, labels->value);
		append(text, "\"", 1);
		before = ",";
	}
	if (bound) {
		print(text, "%sle=\"%s\"", before, bound);
		before = ",";
	}
	print(text, "%s ", *before == ',' ? "}" : "");
}

void metrics_value(struct metrics_text *text, const struct metrics_label *labels, uint64_t value)
{
	append_sample(text, text->type == METRICS_COUNTER ? "_total" : "", labels, NULL);
	print(text, "%" PRIu64 "\n", value);
}

void metrics_histogram(struct metrics_text *text, const struct metrics_label *labels,
		       const struct metrics_histogram *histogram)
{
	const uint64_t *bounds = metrics_bounds_ns(histogram);
	uint64_t count = 0;
	char bound[32];

	for (unsigned int i = 0; i < METRICS_BOUNDS; i++) {
		count += histogram->buckets[i];
		snprintf(bound, sizeof(bound), "%.1f", (double)bounds[i] / 1e9);
		if (bounds[i] < NS_PER_S)
			snprintf(bound, sizeof(bound), "%g", (double)bounds[i] / 1e9);
		append_sample(text, "_bucket", labels, bound);
		print(text, "%" PRIu64 "\n", count);
	}
	count += histogram->buckets[METRICS_BOUNDS];
	append_sample(text, "_bucket", labels, "+Inf");
	print(text, "%" PRIu64 "\n", count);
	append_sample(text, "_count", labels, NULL);
	print(text, "%" PRIu64 "\n", count);
	append_sample(text, "_sum", labels, NULL);
	print(text, "%" PRIu64 ".%09" PRIu64 "\n", (uint64_t)(histogram->sum_ns / NS_PER_S),
	      (uint64_t)(histogram->sum_ns % NS_PER_S));
}

int metrics_text_end(struct metrics_text *text, const char **ret, size_t *ret_length)
{
	if (text->form == METRICS_OPENMETRICS)
		print(text, "# EOF\n");
	if (text->error)
		return text->error;
	*ret = text->bytes ? text->bytes : "";
	*ret_length = text->used;
	return 0;
}
