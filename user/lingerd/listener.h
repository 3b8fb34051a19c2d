/* SPDX-License-Identifier: MIT */
/*
 * The daemon's place in the file system: the listening socket at its path.
 *
 * Two daemons must not believe that they own one path, and the socket file of one that was killed
 * must not be in the way. Looking first and replacing then is a race, so all of it happens under a
 * lock: the file PATH.lock, flock(2)ed for as long as the daemon lives. Who holds it is the only
 * lingerd there, and a socket that answers connect(2) with ECONNREFUSED is a dead one's.
 */
#ifndef LINGERD_LISTENER_H
#define LINGERD_LISTENER_H

#include "lingerd/settings.h"

struct listener {
	int fd;	      /* listens, does not block; -1: closed */
	int lock;     /* -1: the service manager owns socket and path */
	dev_t device; /* of the socket file, to know it again */
	ino_t inode;
	char path[SOCKET_PATH_SIZE];
	char lock_path[SOCKET_PATH_SIZE + sizeof(".lock")];
};

/*
 * Binds and listens. 0, or a negative errno with *problem said and nothing changed or left behind
 * but, perhaps, an empty lock file. Blocks: no.
 */
int listener_open(struct listener *ret, const struct settings *settings, struct problem *problem);

/*
 * The same for a socket that somebody else has opened, and a lock that somebody else has taken (-1: the
 * service manager's, which needs none). Both are the listener's from now on.
 */
int listener_inherit(struct listener *ret, int fd, int lock, struct problem *problem);

/* Takes the socket file away, if it is still ours: nobody finds us any more. */
void listener_unlink(struct listener *listener);

/* Closes the listening socket, takes the lock file away and gives the lock up. */
void listener_close(struct listener *listener);

/* Another process goes on with it: closes our descriptors, and leaves the files alone. */
void listener_leave(struct listener *listener);

#endif
