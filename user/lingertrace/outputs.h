/* SPDX-License-Identifier: MIT */
/* All that lingertrace writes, from one stream of records. */
#ifndef LINGERTRACE_OUTPUTS_H
#define LINGERTRACE_OUTPUTS_H

#include "lingertrace/totals.h"
#include "lingertrace/trace_options.h"

struct outputs;

/*
 * Opens what the options ask for. Both are the caller's, and must outlive it. 0, or a negative errno, and the
 * message is out.
 */
int outputs_open(struct outputs **ret, const struct trace_options *options,
		 const struct tracer *tracer);

/* A tracer_record_fn(). */
void outputs_take(void *outputs, const struct close_record *record);

/*
 * Between polls: flushes, draws, serves. The first error is said, in one line, and is the answer from then
 * on; the other outputs go on.
 */
int outputs_run(struct outputs *outputs);

/*
 * When the tracer has finished: the last lines, the last metrics, the summary. Errors as outputs_run(), of
 * it or of this.
 */
int outputs_finish(struct outputs *outputs);

const struct totals *outputs_totals(const struct outputs *outputs);

/* Frees; NULL is allowed. */
void outputs_close(struct outputs *outputs);

#endif
