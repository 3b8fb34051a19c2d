/* SPDX-License-Identifier: MIT */
/*
 * The daemon as metrics, lingerd_...: docs/metrics.md says what each means. Counters follow from the table in
 * counters.h: NAME is lingerd_NAME, or lingerd_NAME_total; ends and refusals are one family each, with their
 * cause as a label.
 */
#ifndef LINGERD_FAMILIES_H
#define LINGERD_FAMILIES_H

#include "lingerd/engine.h"
#include "lingerd/limits.h"
#include "metrics/text.h"

struct families {
	const struct counters *counters;
	const struct linger_times *times;
	const struct metrics_histogram *rounds; /* of the daemon's loop */
	const struct limits *limits;
	uint64_t nofile;    /* the limit of open files, of each process */
	uint32_t processes; /* that have one */
	uint64_t start_s;   /* of the first one, since 1970 */
};

void families_write(const struct families *families, struct metrics_text *text);

#endif
