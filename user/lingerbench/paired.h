/* SPDX-License-Identifier: MIT */
/*
 * What a strategy does to a figure within one run: its ratio to another one's in the same block, block by block, since both met the
 * same minutes there. The median of these ratios has the interval of order statistics, as throughput_ratio of summary.csv has;
 * difference.h is for two runs, whose blocks are no pairs.
 */
#ifndef LINGERBENCH_PAIRED_H
#define LINGERBENCH_PAIRED_H

#include <stdbool.h>
#include <stddef.h>

#include "lingerbench/report_data.h"

struct paired {
	size_t of;	      /* the arm it is divided by */
	bool is_noise;	      /* both are the same strategy: an A/A arm */
	struct sample ratios; /* one a block */
	double median;	      /* where there are ratios */
	bool has_interval;
	double low; /* of the 95 % interval */
	double high;
};

/*
 * With which arm one is paired: NAME_again with NAME, another one with its server's first strategy. False: it is that one itself.
 */
bool paired_with(const struct report_data *data, size_t arm, size_t *ret, bool *ret_is_noise);

/* Of a column of blocks.csv. 0 or -ENOMEM. paired_free() after success. */
int paired_read(const struct report_data *data, size_t arm, size_t peer, const char *column,
		struct paired *ret);
void paired_free(struct paired *paired);

/* How far the A/A arm's interval reaches from 1, on either side: 1.1 is from 1 / 1.1 to 1.1. */
double paired_reach(const struct paired *noise);

enum paired_finding {
	PAIRED_UNKNOWN,	     /* no block has both figures */
	PAIRED_TOO_FEW,	     /* blocks, for an interval */
	PAIRED_NOISE,	     /* is an A/A arm */
	PAIRED_INCONCLUSIVE, /* the interval has 1 in it */
	PAIRED_WITHIN_NOISE, /* it has not, but the A/A arm differs as much */
	PAIRED_LOWER,
	PAIRED_HIGHER,
};

/* noise: the largest reach of the server's A/A arms under this peer; 1: there are none. */
enum paired_finding paired_judge(const struct paired *paired, double noise);

#endif
