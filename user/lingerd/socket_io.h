/* SPDX-License-Identifier: MIT */
/* struct linger_io on real TCP sockets. */
#ifndef LINGERD_SOCKET_IO_H
#define LINGERD_SOCKET_IO_H

#include "lingerd/engine.h"
#include "lingerd/watches.h"

/* Connections that are being taken: what is known of them already, and those that are to be closed. */
struct socket_batch {
	int count;
	struct first_look {
		int fd;
		bool read_known;
		ssize_t read;
	} looks[LINGER_BATCH];
	int closing_count;
	int closing[LINGER_BATCH];
};

struct socket_io {
	struct watches watches;
	int drain_table; /* of kernel_drain.h, the caller's; -1: none, everything is read */
	struct socket_batch batch;
};

/*
 * Switches SO_LINGER off. With it, close() would block for as long as whoever sent us the socket
 * has asked, O_NONBLOCK or not. Does nothing to what is no socket.
 */
void socket_disarm_linger(int fd);

/* Closes an fd that came and is not to be lingered, whatever it is. Does not block. */
void socket_refuse(int fd);

/* For linger_engine_new(), with a struct socket_io as context. */
extern const struct linger_io socket_linger_io;

#endif
