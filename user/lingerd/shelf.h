/* SPDX-License-Identifier: MIT */
/*
 * A shelf: a process of the daemon that only lingers what the front process moves to it (workers.h). It has descriptors,
 * an epoll set and an engine of its own, publishes its books in a ledger at the end of each round, and ends with the front.
 */
#ifndef LINGERD_SHELF_H
#define LINGERD_SHELF_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lingerd/ledger.h"
#include "lingerd/settings.h"

struct shelf_parts {
	int channel; /* to the front */
	struct ledger *ledger;
	struct clients *clients;
	const struct settings *settings;
	uint32_t fd_numbers; /* descriptors are below that */
	pid_t front;
	bool background; /* see workers.h */
};

/* In a process that was forked for it. The first that it says is whether it is ready. */
__attribute__((noreturn)) void shelf_run(const struct shelf_parts *parts);

#endif
