/* SPDX-License-Identifier: MIT */
#include "lingerbench/difference.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { EXACT_MOST = 50, BISECTIONS = 200 };

static const double alpha = 0.05;

static int compare_doubles(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;

	return a < b ? -1 : a > b;
}

/*
 * How many of the orders of n + m values have a U of 0, 1, ... up to half of n * m: the coefficients of Gauss' binomial, one
 * factor (1 - q^(m+i)) / (1 - q^i) after the other. Lower ones never depend on higher ones, so half of them is enough.
 */
static double *count_orders(size_t n, size_t m)
{
	size_t half = n * m / 2;
	double *counts = calloc(half + 1, sizeof(*counts));

	if (!counts)
		return NULL;
	counts[0] = 1;
	for (size_t i = 1; i <= n; i++) {
		for (size_t u = half; u >= m + i; u--)
			counts[u] -= counts[u - m - i];
		for (size_t u = i; u <= half; u++)
			counts[u] += counts[u - i];
	}
	return counts;
}

static double orders(size_t n, size_t m)
{
	double all = 1;

	for (size_t i = 1; i <= n; i++)
		all *= (double)(m + i) / (double)i;
	return all;
}

/* The distribution of U in a form that can be asked again and again. */
struct distribution {
	size_t n;
	size_t m;
	double *below; /* P(U <= u), u up to half of n * m; NULL: the normal approximation */
};

static int make_distribution(struct distribution *ret, size_t n, size_t m)
{
	double all, sum = 0;

	*ret = (struct distribution){ .n = n, .m = m };
	if (n > EXACT_MOST || m > EXACT_MOST)
		return 0;
	ret->below = count_orders(n, m);
	if (!ret->below)
		return -ENOMEM;
	all = orders(n, m);
	for (size_t u = 0; u <= n * m / 2; u++) {
		sum += ret->below[u];
		ret->below[u] = sum / all;
	}
	return 0;
}

static double at_most(const struct distribution *u_of, size_t u)
{
	size_t most = u_of->n * u_of->m;
	double mean = (double)most / 2;
	double deviation = sqrt((double)most * (double)(u_of->n + u_of->m + 1) / 12);

	if (u >= most)
		return 1;
	if (!u_of->below)
		return erfc((mean - (double)u - 0.5) / deviation / M_SQRT2) / 2;
	if (u <= most / 2)
		return u_of->below[u];
	return 1 - u_of->below[most - u - 1];
}

double difference_mann_whitney(size_t n, size_t m, size_t u)
{
	struct distribution u_of;
	double p;

	if (make_distribution(&u_of, n, m))
		return NAN;
	p = at_most(&u_of, u);
	free(u_of.below);
	return p;
}

/* All b - a, sorted. */
static double *make_pairs(const double *a, size_t n, const double *b, size_t m)
{
	double *pairs = malloc(n * m * sizeof(*pairs));

	if (!pairs)
		return NULL;
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < m; j++)
			pairs[i * m + j] = b[j] - a[i];
	qsort(pairs, n * m, sizeof(*pairs), compare_doubles);
	return pairs;
}

/* How many pairs can be left out at each end: the most for which P(U < k) <= 2.5 %. Some, from 4 blocks on. */
static size_t outer_pairs(const struct distribution *u_of)
{
	size_t k = 0;

	while (at_most(u_of, k) <= alpha / 2)
		k++;
	return k;
}

/* Of all pairs beyond the margin on one side, if the shift were no larger than that. */
static double two_sided(const struct distribution *u_of, size_t above, size_t below)
{
	size_t most = u_of->n * u_of->m;
	double p = 2 * at_most(u_of, most - (above > below ? above : below));

	return p < 1 ? p : 1;
}

static void judge_pairs(const double *pairs, const struct distribution *u_of, double margin,
			struct difference *ret)
{
	size_t count = u_of->n * u_of->m, above = 0, below = 0, k = outer_pairs(u_of);

	for (size_t i = 0; i < count; i++) {
		above += pairs[i] > margin;
		below += pairs[i] < -margin;
	}
	ret->estimate = (pairs[(count - 1) / 2] + pairs[count / 2]) / 2;
	ret->low = pairs[k - 1];
	ret->high = pairs[count - k];
	ret->p = two_sided(u_of, above, below);
}

int difference_of_values(const double *a, size_t n, const double *b, size_t m, double margin,
			 struct difference *ret)
{
	struct distribution u_of;
	double *pairs;
	int error;

	if (n < DIFFERENCE_LEAST_BLOCKS || m < DIFFERENCE_LEAST_BLOCKS)
		return -ENODATA;
	error = make_distribution(&u_of, n, m);
	if (error)
		return error;
	pairs = make_pairs(a, n, b, m);
	if (pairs)
		judge_pairs(pairs, &u_of, margin, ret);
	free(pairs);
	free(u_of.below);
	return pairs ? 0 : -ENOMEM;
}

/* The finite series of Abramowitz and Stegun, 26.7.3 and 26.7.4. */
double difference_student(double t, size_t degrees)
{
	double angle, cosine, term, sum;

	if (!degrees)
		return erfc(fabs(t) / M_SQRT2);
	angle = atan(fabs(t) / sqrt((double)degrees));
	cosine = cos(angle);
	term = degrees % 2 ? cosine : 1;
	sum = degrees == 1 ? 0 : term;
	for (size_t i = degrees % 2 ? 3 : 2; i + 2 <= degrees; i += 2) {
		term *= cosine * cosine * (double)(i - 1) / (double)i;
		sum += term;
	}
	if (degrees % 2)
		return 1 - (angle + sin(angle) * sum) * M_2_PI;
	return 1 - sin(angle) * sum;
}

/* Of one side: all of its blocks together, with what they would count if their connections were independent. */
struct side {
	double share;
	double of;
};

static struct side add_up(const struct share *blocks, size_t count)
{
	struct side side = { 0 };

	for (size_t i = 0; i < count; i++) {
		side.share += blocks[i].count;
		side.of += blocks[i].of;
	}
	side.share = side.of > 0 ? side.share / side.of : 0;
	return side;
}

/* Pearson's X2 of the blocks of one side; none where all or none of them count. */
static void add_dispersion(const struct share *blocks, size_t count, double share, double *chi2,
			   size_t *degrees)
{
	if (share <= 0 || share >= 1)
		return;
	*degrees += count - 1;
	for (size_t i = 0; i < count; i++) {
		double off = blocks[i].count - blocks[i].of * share;

		if (blocks[i].of > 0)
			*chi2 += off * off / (blocks[i].of * share * (1 - share));
	}
}

struct interval {
	double low;
	double high;
};

static struct interval wilson(const struct side *side, double z)
{
	double z2 = z * z, all = side->of + z2;
	double middle = (side->share * side->of + z2 / 2) / all;
	double half = z / all * sqrt(side->share * (1 - side->share) * side->of + z2 / 4);

	return (struct interval){ middle - half, middle + half };
}

static struct interval newcombe(const struct side *a, const struct side *b, double z)
{
	struct interval of_a = wilson(a, z), of_b = wilson(b, z);
	double shift = b->share - a->share;

	return (struct interval){ shift - hypot(b->share - of_b.low, of_a.high - a->share),
				  shift + hypot(of_b.high - b->share, a->share - of_a.low) };
}

/* At which z the tail is that small. */
static double quantile(double tail, size_t degrees)
{
	double low = 0, high = 1000;

	for (int i = 0; i < BISECTIONS; i++) {
		double middle = (low + high) / 2;

		if (difference_student(middle, degrees) > tail)
			low = middle;
		else
			high = middle;
	}
	return high;
}

/* Up to which z the interval leaves out 0. */
static double leaves_out_0(const struct side *a, const struct side *b)
{
	double low = 0, high = 1000;

	for (int i = 0; i < BISECTIONS; i++) {
		double middle = (low + high) / 2;
		struct interval interval = newcombe(a, b, middle);

		if (interval.low > 0 || interval.high < 0)
			low = middle;
		else
			high = middle;
	}
	return low;
}

int difference_of_shares(const struct share *a, size_t n, const struct share *b, size_t m,
			 struct difference *ret)
{
	struct side of_a = add_up(a, n), of_b = add_up(b, m);
	struct interval interval;
	double chi2 = 0, dispersion;
	size_t degrees = 0;

	if (n < DIFFERENCE_LEAST_BLOCKS || m < DIFFERENCE_LEAST_BLOCKS || of_a.of <= 0 ||
	    of_b.of <= 0)
		return -ENODATA;
	add_dispersion(a, n, of_a.share, &chi2, &degrees);
	add_dispersion(b, m, of_b.share, &chi2, &degrees);
	dispersion = degrees ? chi2 / (double)degrees : 1;
	if (dispersion > 1) {
		of_a.of /= dispersion;
		of_b.of /= dispersion;
	} else {
		degrees = 0;
	}
	interval = newcombe(&of_a, &of_b, quantile(alpha, degrees));
	ret->estimate = of_b.share - of_a.share;
	ret->low = interval.low;
	ret->high = interval.high;
	ret->p = ret->estimate == 0 ? 1 : difference_student(leaves_out_0(&of_a, &of_b), degrees);
	return 0;
}

static int compare_pointed(const void *left, const void *right)
{
	return compare_doubles(*(const double *const *)left, *(const double *const *)right);
}

int difference_adjust(double *p, size_t count)
{
	double **order = calloc(count + 1, sizeof(*order));
	double least = 0;

	if (!order)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		order[i] = &p[i];
	qsort(order, count, sizeof(*order), compare_pointed);
	for (size_t i = 0; i < count; i++) {
		double adjusted = *order[i] * (double)(count - i);

		least = adjusted > least ? adjusted : least;
		*order[i] = least < 1 ? least : 1;
	}
	free(order);
	return 0;
}
