/* SPDX-License-Identifier: MIT */
/* A folder of results read back, to be compared with another one. */
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
 * Reads it. 0; or a negative errno, when it is no folder of a whole run or of another schema version: that has been logged in a
 * line which says what to do. *ret is undefined then.
 */
int runfolder_open(struct runfolder *ret, const char *path);
void runfolder_close(struct runfolder *folder);

/* A text of run.json; "" where there is none. */
const char *runfolder_text(const struct runfolder *folder, const char *key);

#endif
