/* SPDX-License-Identifier: MIT */
/* Where metrics go, as it is written on a command line. */
#ifndef METRICS_TARGET_H
#define METRICS_TARGET_H

#include <stdbool.h>
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

/*
 * The text must outlive *ret. Addresses are numeric: a name could mean anything. Others than loopback ones
 * only if allow_remote, since whoever reaches the port may read. 0, or -EINVAL with one line in error[].
 */
int metrics_target_parse(struct metrics_target *ret, const char *text, bool allow_remote,
			 char *error, size_t error_size);

#endif
