/* SPDX-License-Identifier: MIT */
/*
 * Two runs compared, block by block: what blocks.csv of A and of B says of each server, strategy and peer that both have, figure
 * by figure.
 *
 * Many figures are compared at once, and of 100 intervals of 95 % some five leave out the truth. So a difference is found only
 * where Holm's adjustment over all of them leaves its p at 0.05 or below: with no difference at all, one comparison of two whole
 * runs in 20 finds any. (Figures that could not have differed, since all connections of both sides ended alike, are not counted
 * among them.) And two runs are never quite the same: a machine has warmer and busier minutes, which blocks in one of these
 * cannot know of. So a difference of a time or a rate counts only as far as it passes a margin. Shares have none: that a response
 * is lost in a hundred, and was not before, is what the lab is for.
 */
#ifndef LINGERBENCH_COMPARISON_H
#define LINGERBENCH_COMPARISON_H

#include <stdbool.h>
#include <stddef.h>

#include "lingerbench/csvtable.h"
#include "lingerbench/difference.h"

/* A column of blocks.csv; lower and higher are what B is then. */
struct compared_figure {
	const char *column;
	const char *name; /* in tables and JSON */
	enum { FIGURE_SHARE, FIGURE_TIME, FIGURE_RATE } kind;
	const char *lower;
	const char *higher;
};

/* Ends with a column of NULL. */
extern const struct compared_figure compared_figures[];

enum finding {
	FINDING_UNKNOWN, /* one of them does not have the figure */
	FINDING_TOO_FEW, /* blocks */
	FINDING_INCONCLUSIVE,
	FINDING_EQUAL, /* in every block */
	FINDING_SAME,  /* the whole interval is within the margin */
	FINDING_LOWER,
	FINDING_HIGHER,
};

/* One side of it. */
struct compared_side {
	size_t blocks; /* that have the figure */
	double value;  /* median of the blocks; or the share. Only where there are blocks */
	double count;  /* of connections that are truncated, of a share */
	double of;
};

struct comparison {
	const char *server; /* these point into the tables */
	const char *strategy;
	const char *peer;
	const struct compared_figure *figure;
	struct compared_side a;
	struct compared_side b;
	struct difference
		difference; /* of logarithms, but of a share; see comparison_has_difference() */
	double p;	    /* adjusted; NaN: not among the compared */
	enum finding finding;
};

/* A row that one of them has. */
struct lone_row {
	bool in_a;
	const char *server;
	const char *strategy;
	const char *peer;
};

struct comparisons {
	double margin; /* 0.05: 5 % */
	struct comparison *list;
	size_t count;
	struct lone_row *lone;
	size_t lone_count;
	size_t compared; /* figures that could have differed: what p is adjusted for */
	size_t found;
	/*
	 * How many blocks of A and B it takes until a time can differ at all with so many compared; 0: they have them.
	 */
	size_t blocks_wanted;
};

/* 0 or -ENOMEM. The tables must live as long as *ret. */
int comparisons_make(struct comparisons *ret, const struct csvtable *a, const struct csvtable *b,
		     double margin);
void comparisons_free(struct comparisons *comparisons);

/* Whether there is an estimate and an interval. */
bool comparison_has_difference(const struct comparison *comparison);

/* The figure's own word, or "same", "equal", "inconclusive", "too few blocks", "unknown". */
const char *comparison_word(const struct comparison *comparison);

#endif
