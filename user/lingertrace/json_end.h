/* SPDX-License-Identifier: MIT */
/* The last line of the JSON: {"trace":{...}}, what was counted, lost and judged. */
#ifndef LINGERTRACE_JSON_END_H
#define LINGERTRACE_JSON_END_H

#include "common/rowfile.h"
#include "lingertrace/tally.h"
#include "lingertrace/totals.h"
#include "tracer/tracer.h"

/* 0, or a negative errno as rowfile_end_row(). */
int json_end_write(struct rowfile *file, const struct totals *totals, const struct tallies *tallies,
		   const struct tracer_counts *counts);

#endif
