/* SPDX-License-Identifier: MIT */
/* What all outputs count alike. */
#ifndef LINGERTRACE_TOTALS_H
#define LINGERTRACE_TOTALS_H

#include <stdint.h>

#include "bpf/close_trace.h"

enum { TOTALS_ENDS = CLOSE_END_OPEN + 1 };

struct totals {
	uint64_t rows;
	uint64_t ends[TOTALS_ENDS]; /* by enum close_end */
	uint64_t incomplete;
	uint64_t seeded;
	uint64_t at_risk; /* by their verdicts */
};

static inline unsigned int totals_end(const struct close_record *record)
{
	return record->end < TOTALS_ENDS ? record->end : CLOSE_END_UNKNOWN;
}

#endif
