/* SPDX-License-Identifier: MIT */
/* The listening socket of an endpoint of metrics, and its place in the file system. */
#ifndef METRICS_LISTEN_H
#define METRICS_LISTEN_H

#include <stddef.h>
#include <sys/types.h>

#include "metrics/target.h"

enum { METRICS_PLACE_SIZE = 160 };

struct metrics_listener {
	int fd; /* listens, does not block */
	struct metrics_target target;
	dev_t device; /* of a Unix socket's file, to know it again */
	ino_t inode;
	char place
		[METRICS_PLACE_SIZE]; /* for people: the URL, or the path; with the port that it got */
};

/*
 * Listens there. The file of a Unix socket that nobody listens on any more is replaced, nothing else is; the
 * new one is for its user and group (mode 0660). 0, or a negative errno with one line in error[].
 */
int metrics_listen(struct metrics_listener *ret, const struct metrics_target *target, char *error,
		   size_t error_size);

/* Takes the file of a Unix socket away if it is still ours. The descriptor is not closed. */
void metrics_listener_unlink(const struct metrics_listener *listener);

#endif
