/* SPDX-License-Identifier: MIT */
/*
 * Folders of a run: the one that takes the results, and a scratch one for sockets and logs. Results
 * are written to a folder whose name ends in ".partial" and get their own name when all of them are
 * whole.
 */
#ifndef LINGERBENCH_FOLDER_H
#define LINGERBENCH_FOLDER_H

#include <limits.h>

struct results_folder {
	char path[PATH_MAX];	/* the name it will get: OUT/SCENARIO/UTC-COMMIT */
	char partial[PATH_MAX]; /* the one it has until then */
	char latest[PATH_MAX];	/* the link to it: OUT/latest */
};

/* Creates it, and the folders above. 0 or a negative errno. */
int results_folder_begin(struct results_folder *ret, const char *out, const char *scenario,
			 const char *commit);
/* Gives it its name and points the link at it. 0 or a negative errno. */
int results_folder_finish(const struct results_folder *folder);
/* Removes it with what is in it, and the folder above if nothing else is there. */
void results_folder_abandon(const struct results_folder *folder);

/* A new folder below $TMPDIR or /tmp that only this user may enter. 0 or a negative errno. */
int scratch_folder_make(char path[PATH_MAX]);
void scratch_folder_remove(const char *path);

#endif
