/* SPDX-License-Identifier: MIT */
/*
 * Folders of a run: the one that takes the results, and a scratch one for sockets and logs. Results
 * are written to a folder whose name ends in ".partial" and get their own name when all of them are
 * whole.
 */
#ifndef LINGERBENCH_FOLDER_H
#define LINGERBENCH_FOLDER_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct results_folder {
	char path[PATH_MAX];	/* the name it will get: OUT/SCENARIO/UTC-COMMIT */
	char partial[PATH_MAX]; /* the one it has until then */
	char latest[PATH_MAX];	/* the link to it: OUT/latest */
	size_t found;		/* length of the part of path that was there before */
};

/* Creates it, and the folders above. 0, or a negative errno with nothing left that it made. */
int results_folder_begin(struct results_folder *ret, const char *out, const char *scenario,
			 const char *commit);
/* Gives it its name. 0 or a negative errno. */
int results_folder_finish(const struct results_folder *folder);
/* Points the link at it then. 0 or a negative errno. */
int results_folder_point_latest(const struct results_folder *folder);
/* Removes it with what is in it, and those of the folders above that were made for it, if nothing else is there. */
void results_folder_abandon(const struct results_folder *folder);

/*
 * A new folder below $TMPDIR or /tmp that only this user may enter, or where for_all everybody. 0 or a
 * negative errno.
 */
int scratch_folder_make(char path[PATH_MAX], bool for_all);

/* Removes a folder with all that is in it. */
void folder_remove(const char *path);

/* Gives it and all that is in it to that user and group. 0 or a negative errno. */
int folder_give_away(const char *path, uid_t uid, gid_t gid);

/* Copies the file into the folder. 0 or a negative errno. */
int folder_take_copy(const char *folder, const char *file);

#endif
