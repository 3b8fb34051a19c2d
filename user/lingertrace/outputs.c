/* SPDX-License-Identifier: MIT */
#include "lingertrace/outputs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "lingertrace/json_end.h"
#include "lingertrace/top.h"
#include "lingertrace/trace_metrics.h"
#include "lingertrace/trace_summary.h"
#include "metrics/publish.h"
#include "tracer/trace_csv.h"
#include "tracer/trace_json.h"

struct outputs {
	const struct trace_options *options;
	const struct tracer *tracer;
	struct totals totals;
	struct tallies tallies;
	/* NULL: not asked for, or ended */
	struct csv *csv;
	struct rowfile *json;
	struct trace_summary *summary;
	struct top *top;
	struct metrics_publisher *publisher;
	struct trace_metrics metrics;
	int error; /* the first one */
};

/* Says the first error only: what follows is of the same cause. */
static void note(struct outputs *outputs, const char *path, int error)
{
	if (!error || outputs->error)
		return;
	outputs->error = error;
	log_error("cannot write %s: %s", strcmp(path, "-") ? path : "stdout", strerror(-error));
}

static void write_metrics(void *context, struct metrics_text *text)
{
	const struct outputs *outputs = context;
	struct tracer_counts counts;

	tracer_get_counts(outputs->tracer, &counts);
	trace_metrics_write(&outputs->metrics, &outputs->totals, &outputs->tallies, &counts,
			    tracer_uses_fentry(outputs->tracer) ? "fentry" : "tracepoint", text);
}

static void open_csv(struct outputs *outputs, const char *path)
{
	int error = csv_create(&outputs->csv, path);

	if (!error)
		error = trace_csv_header(outputs->csv);
	if (!error)
		error = csv_flush(outputs->csv);
	note(outputs, path, error);
}

static int open_metrics(struct outputs *outputs)
{
	const struct trace_options *options = outputs->options;
	char error[256];
	int result = metrics_publisher_open(&outputs->publisher, &options->metrics_target,
					    write_metrics, outputs, error, sizeof(error));

	if (result)
		log_error("--metrics %s: %s", options->metrics, error);
	else
		log_info("metrics: %s", metrics_publisher_place(outputs->publisher));
	return result;
}

static int open_all(struct outputs *outputs)
{
	const struct trace_options *options = outputs->options;
	int result;

	if (options->metrics) {
		result = open_metrics(outputs);
		if (result)
			return result;
	}
	if (options->csv)
		open_csv(outputs, options->csv);
	if (options->json && !outputs->error)
		note(outputs, options->json, rowfile_create(&outputs->json, options->json));
	if (outputs->error)
		return outputs->error;
	if (options->summary)
		outputs->summary = trace_summary_new();
	if (options->top_ns)
		outputs->top =
			top_new(stdout, options->top_ns, options->tracer.filter.port_count > 0);
	if ((options->summary && !outputs->summary) || (options->top_ns && !outputs->top)) {
		log_error("out of memory");
		return -ENOMEM;
	}
	return 0;
}

int outputs_open(struct outputs **ret, const struct trace_options *options,
		 const struct tracer *tracer)
{
	struct outputs *outputs = calloc(1, sizeof(*outputs));
	int result;

	if (!outputs) {
		log_error("out of memory");
		return -ENOMEM;
	}
	outputs->options = options;
	outputs->tracer = tracer;
	result = open_all(outputs);
	if (result)
		outputs_close(outputs);
	else
		*ret = outputs;
	return result;
}

void outputs_take(void *context, const struct close_record *record)
{
	struct outputs *outputs = context;
	enum verdict verdict = tallies_add(&outputs->tallies, record);

	outputs->totals.rows++;
	outputs->totals.ends[totals_end(record)]++;
	outputs->totals.incomplete += !!(record->flags & CLOSE_INCOMPLETE);
	outputs->totals.seeded += !!(record->flags & CLOSE_SEEDED);
	outputs->totals.at_risk += verdict_is_risk(verdict);
	if (outputs->csv)
		note(outputs, outputs->options->csv, trace_csv_row(outputs->csv, record));
	if (outputs->json)
		note(outputs, outputs->options->json, trace_json_row(outputs->json, record));
	if (outputs->summary)
		trace_summary_add(outputs->summary, record);
	if (outputs->top)
		top_add(outputs->top, record, verdict);
	if (outputs->publisher)
		trace_metrics_add(&outputs->metrics, record);
}

int outputs_run(struct outputs *outputs)
{
	struct tracer_counts counts;

	if (outputs->csv)
		note(outputs, outputs->options->csv, csv_flush(outputs->csv));
	if (outputs->json)
		note(outputs, outputs->options->json, rowfile_flush(outputs->json));
	if (outputs->top) {
		tracer_get_counts(outputs->tracer, &counts);
		note(outputs, "-",
		     top_run(outputs->top, &outputs->totals, &outputs->tallies, &counts, false));
	}
	if (outputs->publisher)
		note(outputs, metrics_publisher_place(outputs->publisher),
		     metrics_publisher_run(outputs->publisher));
	return outputs->error;
}

/* Stdout is the summary's, unless the rows went there. */
static int print_summary(const struct outputs *outputs, const struct tracer_counts *counts)
{
	const struct trace_options *options = outputs->options;
	bool taken = (options->csv && !strcmp(options->csv, "-")) ||
		     (options->json && !strcmp(options->json, "-"));
	FILE *out = taken ? stderr : stdout;

	errno = 0;
	trace_summary_print(outputs->summary, &outputs->totals, &outputs->tallies, counts, out);
	if (!fflush(out) && !ferror(out))
		return 0;
	return errno ? -errno : -EIO;
}

static int end_json(struct outputs *outputs, const struct tracer_counts *counts)
{
	int error = json_end_write(outputs->json, &outputs->totals, &outputs->tallies, counts);
	int close_error = rowfile_close(outputs->json);

	outputs->json = NULL;
	return error ? error : close_error;
}

int outputs_finish(struct outputs *outputs)
{
	const struct trace_options *options = outputs->options;
	struct tracer_counts counts;

	tracer_get_counts(outputs->tracer, &counts);
	if (outputs->csv)
		note(outputs, options->csv, csv_close(outputs->csv));
	outputs->csv = NULL;
	if (outputs->json)
		note(outputs, options->json, end_json(outputs, &counts));
	if (outputs->publisher)
		note(outputs, metrics_publisher_place(outputs->publisher),
		     metrics_publisher_finish(outputs->publisher));
	if (outputs->top)
		note(outputs, "-",
		     top_run(outputs->top, &outputs->totals, &outputs->tallies, &counts, true));
	top_close(outputs->top); /* the screen is needed now */
	outputs->top = NULL;
	if (outputs->summary)
		note(outputs, "the summary", print_summary(outputs, &counts));
	return outputs->error;
}

const struct totals *outputs_totals(const struct outputs *outputs)
{
	return &outputs->totals;
}

void outputs_close(struct outputs *outputs)
{
	if (!outputs)
		return;
	csv_close(outputs->csv);
	rowfile_close(outputs->json);
	trace_summary_free(outputs->summary);
	top_close(outputs->top);
	metrics_publisher_close(outputs->publisher);
	free(outputs);
}
