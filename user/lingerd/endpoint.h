/* SPDX-License-Identifier: MIT */
/*
 * The daemon's endpoint for metrics, in its one epoll set: libmicrohttpd's own set is a member of it.
 * Scrapers are served after all else in a round of the loop, and each round serves each of them once at
 * most, so none can keep the loop to itself. Their descriptors are in limits.h.
 */
#ifndef LINGERD_ENDPOINT_H
#define LINGERD_ENDPOINT_H

#include <stdbool.h>
#include <stdint.h>

#include "lingerd/settings.h"
#include "metrics/http.h"

/* Descriptors to set aside for it. */
static inline uint32_t endpoint_fds(const struct settings *settings)
{
	return *settings->metrics ? METRICS_HTTP_FDS : 0;
}

/* All zero: closed. */
struct endpoint {
	struct metrics_http *http; /* NULL: closed */
	bool is_ready;		   /* its event has come in this round */
	uint64_t next_ns;	   /* when it is to be served without an event; UINT64_MAX: never */
};

/*
 * Listens where settings.metrics says, if anywhere. write and context must be of use until
 * endpoint_close(). 0, or a negative errno with *problem said and nothing left behind.
 */
int endpoint_open(struct endpoint *endpoint, const struct settings *settings, int epoll,
		  metrics_write_fn *write, void *context, struct problem *problem);

/* Its event in the epoll set has come. */
static inline void endpoint_ready(struct endpoint *endpoint)
{
	endpoint->is_ready = true;
}

/* To be called in every round: serves, if it is time. Does not block. */
void endpoint_tick(struct endpoint *endpoint, uint64_t now_ns);
/* When endpoint_tick() has something to do without an event; UINT64_MAX: never. */
uint64_t endpoint_next_ns(const struct endpoint *endpoint);

/* Drops all scrapers, takes a Unix socket away. To be called while the epoll set is open. */
void endpoint_close(struct endpoint *endpoint);

#endif
