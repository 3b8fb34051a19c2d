/* SPDX-License-Identifier: MIT */
/* A folder of results read back. */
#ifndef LINGERBENCH_RUNFOLDER_H
#define LINGERBENCH_RUNFOLDER_H

#include <jansson.h>
#include <limits.h>

#include "lingerbench/csvtable.h"

struct runfolder {
	char path[PATH_MAX]; /* links resolved */
	json_t *run;	     /* run.json */
	struct csvtable blocks;
};

/*
 * Reads what two runs are compared by. 0; or a negative errno, when it is no folder of a whole run or of another schema version: that has been logged in a
 * line which says what to do. *ret is undefined then.
 */
int runfolder_open(struct runfolder *ret, const char *path);
void runfolder_close(struct runfolder *folder);

/* run.json alone, which the caller lets go of, and one CSV file; 0 or a negative errno, logged likewise. */
int runfolder_run(json_t **ret, const char *path);
int runfolder_table(struct csvtable *ret, const char *path, const char *name);

/* A text of run.json; "" where there is none. */
const char *runfolder_text(const struct runfolder *folder, const char *key);

#endif
