/* SPDX-License-Identifier: MIT */
/* What compare says, for people and as JSON. */
#ifndef LINGERBENCH_COMPARISON_TEXT_H
#define LINGERBENCH_COMPARISON_TEXT_H

#include <jansson.h>

#include "lingerbench/comparison.h"
#include "lingerbench/runfolder.h"

/* Both runs, in what they were not alike (of conditions.h), the table, and how much to believe it. On stdout. */
void comparison_print(const struct runfolder *a, const struct runfolder *b, json_t *conditions,
		      const struct comparisons *comparisons);

/* The same as one object. On stdout; 0 or a negative errno. */
int comparison_print_json(const struct runfolder *a, const struct runfolder *b, json_t *conditions,
			  const struct comparisons *comparisons);

#endif
