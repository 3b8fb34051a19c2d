/* SPDX-License-Identifier: MIT */
/* connections.csv: one row per connection of a run. results/README.md explains each column. */
#ifndef LINGERBENCH_CONNECTIONS_CSV_H
#define LINGERBENCH_CONNECTIONS_CSV_H

#include "common/csv.h"
#include "lingerbench/join.h"
#include "lingerbench/trial.h"

/* 0 or the negative errno of writing. */
int connections_csv_head(struct csv *csv);
int connections_csv_rows(struct csv *csv, const struct trial *trial, const struct joined_row *rows,
			 size_t count);

#endif
