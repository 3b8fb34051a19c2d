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
 * Writes it beside its place (PATH.new), as long as it may be that another process's is there, and stays. Does nothing if
 * settings name none. 0, or a negative errno with *problem said and nothing changed.
 */
int pidfile_prepare(struct pidfile *ret, const struct settings *settings, struct problem *problem);
/*
 * Puts it in its place, in one step: there is never half a number in it. What was there is replaced. Returns as
 * pidfile_prepare().
 */
int pidfile_commit(struct pidfile *pidfile, struct problem *problem);

/* Takes it away, wherever it is by now, unless another process's is there. */
void pidfile_remove(struct pidfile *pidfile);

#endif
