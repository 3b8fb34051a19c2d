/* SPDX-License-Identifier: MIT */
/*
 * blocks.csv: one row per trial, so one per block, strategy and peer. A block is the unit of repetition: what two runs
 * are compared by. results/README.md explains each column.
 */
#ifndef LINGERBENCH_BLOCKS_CSV_H
#define LINGERBENCH_BLOCKS_CSV_H

#include "common/csv.h"
#include "lingerbench/summary.h"
#include "lingerbench/trial.h"

/* 0 or the negative errno of writing. */
int blocks_csv_head(struct csv *csv);
/* number: of the trial in the order of the run, from 1; summary: of that trial alone. */
int blocks_csv_row(struct csv *csv, const struct trial *trial, size_t number,
		   struct summary *summary);

#endif
