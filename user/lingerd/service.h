/* SPDX-License-Identifier: MIT */
/*
 * The service manager (systemd, by libsystemd): the sockets and the store of descriptors that it
 * keeps for us, and what it wants to hear. Without one, all of it does nothing.
 */
#ifndef LINGERD_SERVICE_H
#define LINGERD_SERVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "lingerd/counters.h"
#include "lingerd/inherited.h"
#include "lingerd/settings.h"

struct service {
	uint64_t watchdog_ns; /* how often it wants to hear that we are alive; 0: not at all */
	uint64_t alive_at_ns;
	uint64_t status_at_ns; /* not before */
	uint64_t said_handoffs;
	uint64_t said_lingers;
	bool managed;
};

/*
 * Takes what the manager passed, and the environment variables that say so away. 0, or -EINVAL with
 * *problem said and everything closed: a socket that is of no use.
 */
int service_inherit(struct inherited *ret, struct problem *problem);

void service_open(struct service *service);
void service_ready(const struct service *service);
void service_reloading(const struct service *service);
void service_stopping(const struct service *service);

/* To be called in every round: says that we are alive, if so, and what we do, when it is time. */
void service_tick(struct service *service, const struct counters *counters, bool alive,
		  uint64_t now_ns);
/* When service_tick() has something to do; UINT64_MAX: never. */
uint64_t service_next_ns(const struct service *service, const struct counters *counters);

/*
 * Puts the queues into the manager's store, from where the next process gets them, and waits until it
 * has them, for five seconds at most. 0 or a negative errno.
 */
int service_store(const struct succession *succession);
/* What was in the store has been taken. */
void service_unstore(const struct service *service);

#endif
