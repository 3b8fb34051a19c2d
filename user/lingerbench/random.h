/* SPDX-License-Identifier: MIT */
/* A small generator (splitmix64) with its state in the caller's hands: one seed, one sequence,
 * anywhere. */
#ifndef LINGERBENCH_RANDOM_H
#define LINGERBENCH_RANDOM_H

#include <stdint.h>

static inline uint64_t random_next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

#endif
