/* SPDX-License-Identifier: MIT */
/* What a strategy did under a peer, over all blocks of a run: the rows of summary.csv. */
#ifndef LINGERBENCH_SUMMARY_H
#define LINGERBENCH_SUMMARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/csv.h"
#include "lingerbench/join.h"
#include "lingerbench/sample.h"
#include "lingerbench/trial.h"

struct summary {
	const struct arm *arm;
	const struct peer *peer;
	bool tracing;	      /* the tracer was on */
	uint64_t connections; /* measured ones, not those of a warm-up */
	uint64_t outcomes[OUTCOME_COUNT];
	uint64_t fallbacks;
	bool fallbacks_unknown; /* of one of the trials */
	uint64_t unserved;	/* not in worker_hold_us, see was_served() */
	uint64_t traced;	/* connections with a row of the tracer */
	bool cpu_unknown;	/* in one of the trials */
	uint64_t cpu_us;
	uint64_t cpu_connections; /* for which it was spent */
	bool is_open;		  /* an open loop; the next three are of it alone */
	uint64_t dropped;
	struct sample offered_per_s;  /* one a block */
	struct sample achieved_per_s; /* likewise */
	struct sample worker_hold_us;
	struct sample response_us;
	/*
	 * Of connections whose stay ended before the tracer's eyes. Where some did not
	 * (fin_wait_2_unseen), the rest would flatter: summary.csv then says nothing.
	 */
	struct sample fin_wait_2_us;
	uint64_t fin_wait_2_unseen;
	struct sample throughput_per_s; /* one a block */
	/* In each block, of that of the first strategy of the scenario under the same peer. */
	struct sample throughput_ratio;
};

/*
 * Whole responses per second of a trial, from the first connect() after the warm-up until the last client knew what it
 * had got; those of clients that came in the warm-up and had waited until then are among them. False: it had no such time.
 */
bool summary_throughput(const struct joined_row *rows, size_t count, double *ret_per_s);

/*
 * Adds a trial of this strategy and peer. baseline_per_s: the throughput of the first strategy in
 * this block; 0: not known. 0 or -ENOMEM.
 */
int summary_add(struct summary *summary, const struct trial *trial, const struct joined_row *rows,
		size_t count, double baseline_per_s);

bool summary_has_column(const char *name);

/* Connections that tell nothing of the strategy: timed out, corrupt, failed or unfinished. */
uint64_t summary_incomplete(const struct summary *summary);

/* The columns that blocks.csv has of a trial, too: what summary_csv_figures() writes. */
#define SUMMARY_FIGURES                                                                            \
	"connections", "complete", "truncated", "timeout", "corrupt", "failed", "unserved",        \
		"fallbacks", "traced", "worker_hold_us_p50", "worker_hold_us_p99",                 \
		"response_us_p50", "response_us_p99", "fin_wait_2_us_p50", "fin_wait_2_us_p99"

void summary_csv_figures(struct csv *csv, struct summary *summary);
/* cpu_us_per_connection */
void summary_csv_cpu(struct csv *csv, const struct summary *summary);
/* offered_per_s, achieved_per_s and dropped. */
void summary_csv_arrivals(struct csv *csv, struct summary *summary);

/* 0 or the negative errno of writing. */
int summary_csv_head(struct csv *csv);
int summary_csv_row(struct csv *csv, struct summary *summary);

void summary_free(struct summary *summary);

#endif
