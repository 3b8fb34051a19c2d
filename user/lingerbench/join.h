/* SPDX-License-Identifier: MIT */
/*
 * What the client, the worker and the kernel saw of the same connection. Client and worker rows
 * meet by the client's port (where a port was used again, in the order of time); the tracer's by
 * the socket cookie, or, where the server is a real one and no worker tells it, by the port as well.
 */
#ifndef LINGERBENCH_JOIN_H
#define LINGERBENCH_JOIN_H

#include <stddef.h>

#include "lingerbench/rows.h"
#include "lingerbench/tracelog.h"

struct joined_row {
	const struct client_row *client;
	const struct server_row *server;  /* NULL: never accepted */
	const struct close_record *trace; /* NULL: not traced, or lost */
};

/*
 * One row per connection that the client began, in the client's order. ret has room for count of
 * them, the trial's connections. 0 or -ENOMEM.
 */
int join_rows(const struct trial_rows *rows, size_t count, const struct tracelog *log, bool by_port,
	      struct joined_row *ret);

#endif
