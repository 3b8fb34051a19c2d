/* SPDX-License-Identifier: MIT */
/* The table of strategies that a run ends with, from summary.csv. */
#ifndef LINGERBENCH_VERDICT_H
#define LINGERBENCH_VERDICT_H

#include <stddef.h>

#include "lingerbench/csvtable.h"
#include "lingerbench/scenario.h"

/* A figure for people in at most 15 bytes: "217 us", "1.25 ms", "-" for what is not known. */
struct figure {
	char text[16];
};

struct figure verdict_us(double us);
struct figure verdict_time(const struct csvtable *summary, size_t row, const char *column);
struct figure verdict_count(const struct csvtable *summary, size_t row, const char *column);

/* What its row is of: "lingerd"; where there are several servers "nginx/lingerd". */
struct row_label {
	char text[2 * NAME_SIZE];
};

struct row_label verdict_label(const struct csvtable *summary, size_t row);

/* On stdout. */
void verdict_print(const struct csvtable *summary, const struct scenario *scenario);

#endif
