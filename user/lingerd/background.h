/* SPDX-License-Identifier: MIT */
/*
 * Going to the background, for init systems that wait until the program they start has ended: it ends when the daemon
 * is ready, or could not start, and says which by its exit status.
 */
#ifndef LINGERD_BACKGROUND_H
#define LINGERD_BACKGROUND_H

#include "lingerd/settings.h"

struct background {
	int starter; /* who waits for a word of us; -1: nobody */
	int null;    /* /dev/null: later, no file may be opened for writing */
};

/*
 * Goes on in a child, in a session of its own and in the folder /. The process that calls it does not return: it waits for
 * the child, and exits with 0 when that is ready, else with the status that the child exits with. 0 in the child with *ret
 * filled; or, without a child, a negative errno with *problem said.
 */
int background_enter(struct background *ret, struct problem *problem);

/* Lets the starter go; from here on stdin, stdout and stderr are /dev/null. Closes what is in *background. */
void background_ready(struct background *background);

#endif
