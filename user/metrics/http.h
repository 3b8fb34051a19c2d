/* SPDX-License-Identifier: MIT */
/*
 * Serves metrics over HTTP (libmicrohttpd), in the thread of the caller: nothing happens between two calls of
 * metrics_http_serve(), and that never waits for a client. Clients that hang are dropped after some
 * seconds, too many at a time are not accepted.
 */
#ifndef METRICS_HTTP_H
#define METRICS_HTTP_H

#include <stddef.h>

#include "metrics/target.h"
#include "metrics/text.h"

struct metrics_http;

/*
 * The most descriptors that an endpoint has open at a time: a listener, libmicrohttpd's epoll set, its
 * clients, and one more in opening it.
 */
enum { METRICS_HTTP_CLIENTS = 16, METRICS_HTTP_FDS = METRICS_HTTP_CLIENTS + 3 };

/* Writes the families as they are now; begin and end are not its business. */
typedef void metrics_write_fn(void *context, struct metrics_text *text);

/* Listens there. 0, or a negative errno with one line in error[] and nothing left behind. */
int metrics_http_open(struct metrics_http **ret, const struct metrics_target *target,
		      metrics_write_fn *write, void *context, char *error, size_t error_size);

/* Where it listens, for people. */
const char *metrics_http_place(const struct metrics_http *http);

/* Becomes readable when there is something to serve. Stays the library's. */
int metrics_http_fd(const struct metrics_http *http);

/*
 * Accepts, reads, answers what it can without waiting, in up to so many rounds: a client that always has
 * more must wait for the next call. To be called when the descriptor is readable, and after
 * metrics_http_wait_ms().
 */
void metrics_http_serve(struct metrics_http *http, unsigned int rounds);

/* When there is something to serve even if the descriptor says nothing: in milliseconds; -1: never. */
int metrics_http_wait_ms(const struct metrics_http *http);

/* Ends all connections, takes a Unix socket away, frees. NULL is allowed. */
void metrics_http_close(struct metrics_http *http);

#endif
