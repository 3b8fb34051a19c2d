/* SPDX-License-Identifier: MIT */
/*
 * A file with the daemon's PID, for whoever starts and ends it without a service manager. It is a hint, not a lock: who
 * owns the socket is decided by listener.h.
 */
#ifndef LINGERD_PIDFILE_H
#define LINGERD_PIDFILE_H

#include <sys/types.h>

#include "lingerd/settings.h"

/* All zero: there is none. */
struct pidfile {
	const char *path; /* that of the settings, which must outlive it */
	dev_t device;	  /* to know our own again */
	ino_t inode;
};

/*
 * Writes it, in one step: there is never half a number in it. What was there is replaced. Does nothing if settings
 * name none. 0, or a negative errno with *problem said and nothing changed.
 */
int pidfile_write(struct pidfile *ret, const struct settings *settings, struct problem *problem);

/* Takes it away, unless it is another process's by now. */
void pidfile_remove(struct pidfile *pidfile);

#endif
