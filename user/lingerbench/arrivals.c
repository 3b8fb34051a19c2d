/* SPDX-License-Identifier: MIT */
#include "lingerbench/arrivals.h"

#include <math.h>

#include "common/clock.h"
#include "lingerbench/random.h"

const char *arrivals_name(enum arrivals_kind kind)
{
	static const char *const names[ARRIVALS_KINDS] = {
		[ARRIVALS_CLOSED] = "closed",
		[ARRIVALS_CONSTANT] = "constant",
		[ARRIVALS_POISSON] = "poisson",
	};

	return names[kind];
}

/* Above 0 and up to 1, in 53 bits. */
static double random_fraction(uint64_t *random)
{
	return ((double)(random_next(random) >> 11) + 1) / 0x1p53;
}

static double next_gap_ns(struct arrivals *arrivals)
{
	if (arrivals->kind == ARRIVALS_POISSON)
		return -log(random_fraction(&arrivals->random)) * arrivals->mean_gap_ns;
	return arrivals->mean_gap_ns;
}

void arrivals_begin(struct arrivals *arrivals, enum arrivals_kind kind, uint64_t per_s,
		    uint64_t seed, uint64_t now_ns)
{
	*arrivals = (struct arrivals){ .kind = kind,
				       .mean_gap_ns = (double)NS_PER_S / (double)per_s,
				       .random = seed,
				       .began_ns = now_ns };
	if (kind == ARRIVALS_POISSON)
		arrivals_pass(arrivals);
}

uint64_t arrivals_due_ns(const struct arrivals *arrivals)
{
	return arrivals->began_ns + (uint64_t)arrivals->passed_ns;
}

void arrivals_pass(struct arrivals *arrivals)
{
	arrivals->passed_ns += next_gap_ns(arrivals);
}
