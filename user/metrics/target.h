/* SPDX-License-Identifier: MIT */
/* Where metrics go, as it is written on a command line. */
#ifndef METRICS_TARGET_H
#define METRICS_TARGET_H

#include <stddef.h>
#include <sys/socket.h>

enum metrics_target_kind {
	METRICS_TO_FILE,   /* file:PATH */
	METRICS_TO_SOCKET, /* unix:PATH, ADDRESS:PORT or [ADDRESS]:PORT */
};

struct metrics_target {
	enum metrics_target_kind kind;
	const char
		*path; /* of the file, or of the Unix socket, else NULL; part of the text parsed */
	struct sockaddr_storage address;
	socklen_t address_size;
};

/* What is taken besides sockets that this host alone reaches. */
enum {
	METRICS_ALLOW_FILE = 1,
	METRICS_ALLOW_REMOTE = 2, /* whoever reaches the port may read */
};

/*
 * The text must outlive *ret. Addresses are numeric: a name could mean anything. 0, or -EINVAL with one
 * line in error[], which names no more than what is allowed.
 */
int metrics_target_parse(struct metrics_target *ret, const char *text, unsigned int allow,
			 char *error, size_t error_size);

#endif
