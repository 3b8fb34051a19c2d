/* SPDX-License-Identifier: MIT */
/*
 * A prefork server: each worker is a process that accepts, reads the head of a request, writes the
 * response with blocking calls and ends the connection by a strategy. It speaks as much HTTP/1.1 as
 * the lab's clients: "GET /NUMBER" is answered 200, "POST /refused-NUMBER" 413 without a look at the body,
 * both with the same body.
 */
#ifndef LINGERBENCH_SERVER_H
#define LINGERBENCH_SERVER_H

#include <stdint.h>
#include <sys/types.h>

#include "lingerbench/response.h"
#include "lingerbench/rows.h"
#include "lingerbench/strategy.h"

struct server {
	int listener; /* shared by the workers, who set whether it blocks */
	const struct strategy *strategy;
	const struct strategy_settings *settings;
	const struct response *response;
	struct trial_rows *rows;
};

/*
 * A socket bound to that address (dotted); *port 0 is set to the port it got. It does not listen: that keeps the port
 * for servers that listen with SO_REUSEADDR. The fd, or a negative errno.
 */
int server_bind(const char *address, uint16_t *port);

/* One that listens, beside such a keeper of the port. The fd, or a negative errno. */
int server_listen(const char *address, uint16_t port);

/* The life of a worker process, which ends by a signal or, with status 1, when it cannot prepare.
 */
_Noreturn void server_work(const struct server *server);

#endif
