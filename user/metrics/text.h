/* SPDX-License-Identifier: MIT */
/*
 * Writes metrics as text, family by family, into memory. Two forms: OpenMetrics 1.0, and Prometheus' older
 * text format 0.0.4, which is all that some readers take (promtool, node_exporter's text files).
 */
#ifndef METRICS_TEXT_H
#define METRICS_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "metrics/histogram.h"

struct metrics_text;

enum metrics_form { METRICS_OPENMETRICS, METRICS_PROMETHEUS };
enum metrics_type { METRICS_COUNTER, METRICS_GAUGE, METRICS_HISTOGRAM };

struct metrics_label {
	const char *name;
	const char *value; /* UTF-8; escaped here */
};

/* NULL: no memory. To be freed by the caller. */
struct metrics_text *metrics_text_new(void);
void metrics_text_free(struct metrics_text *text);

/* Empties it; what follows is written in that form. */
void metrics_text_begin(struct metrics_text *text, enum metrics_form form);

/*
 * Begins a family. The name is without "_total" and ends in "_UNIT" if there is one (else NULL). It is
 * kept until the next family, not copied. help: one line of plain words, since the forms do not agree on how
 * quotes and backslashes are written in it.
 */
void metrics_family(struct metrics_text *text, enum metrics_type type, const char *name,
		    const char *unit, const char *help);

/* Adds a value to the family, a counter or a gauge. labels: the last one has the name NULL; or NULL. */
void metrics_value(struct metrics_text *text, const struct metrics_label *labels, uint64_t value);

/* Adds a histogram to the family, in seconds. */
void metrics_histogram(struct metrics_text *text, const struct metrics_label *labels,
		       const struct metrics_histogram *histogram);

/*
 * Ends the text. 0, *ret points to it until it is begun again or freed; or -ENOMEM, if there was no
 * memory for any part.
 */
int metrics_text_end(struct metrics_text *text, const char **ret, size_t *ret_length);

#endif
