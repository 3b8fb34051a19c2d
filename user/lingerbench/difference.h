/* SPDX-License-Identifier: MIT */
/*
 * By how much two runs differ, and how sure that is. Pure arithmetic.
 *
 * What is compared are blocks, one value each: connections of a block share its processes and its moment, so they are not
 * independent, and thousands of them would make any chance look certain.
 *
 * Times and rates are neither normal nor of one spread, and a block that met a busy moment is far out. So nothing is supposed
 * of how they are distributed: the shift from A to B is that of Hodges and Lehmann (the median of all pairs b - a), its
 * interval and its p that of Mann and Whitney, exact up to 50 blocks on each side. Callers pass logarithms: a shift is a ratio
 * then. The bootstrap was not taken, since with 6 to 20 blocks its intervals are too narrow.
 *
 * Shares are counts of connections: Newcombe's interval of a difference (his method 10, from Wilson's intervals), which holds
 * at 0 of N, too. Where blocks differ more than chance lets connections differ, the counts are taken for as much fewer
 * (the dispersion of the quasi-binomial), and Student's t stands for the normal distribution.
 */
#ifndef LINGERBENCH_DIFFERENCE_H
#define LINGERBENCH_DIFFERENCE_H

#include <stddef.h>

enum {
	DIFFERENCE_LEAST_BLOCKS = 6
}; /* on each side; with fewer there is no interval, as in sample.h */

struct difference {
	double estimate; /* B's minus A's */
	double low;	 /* of the 95 % interval */
	double high;
	double p; /* two-sided: of a difference as sure as this one, if there were none beyond the margin */
};

/*
 * Of n values of A and m of B. margin (not negative): p is that of a shift no larger than it; the interval is not touched
 * by it. Ties count against a difference. 0; -ENODATA: too few values; -ENOMEM. *ret is untouched on errors.
 */
int difference_of_values(const double *a, size_t n, const double *b, size_t m, double margin,
			 struct difference *ret);

/* So many of so many, in one block. */
struct share {
	double count;
	double of;
};

/* Likewise of shares. p is 1 where all or none of both sides count: nothing could have been found. */
int difference_of_shares(const struct share *a, size_t n, const struct share *b, size_t m,
			 struct difference *ret);

/* P(U <= u) of Mann and Whitney's U of n and m values. n, m > 0; NaN: no memory. */
double difference_mann_whitney(size_t n, size_t m, size_t u);

/* P(|T| >= t) of Student's t; degrees 0: of the normal distribution. */
double difference_student(double t, size_t degrees);

/*
 * Holm's adjustment, in place: of those whose result is at most 0.05, the chance that even one is a false finding is at most
 * 5 %, however they depend on each other. 0 or -ENOMEM.
 */
int difference_adjust(double *p, size_t count);

#endif
