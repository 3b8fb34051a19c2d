/* SPDX-License-Identifier: MIT */
/* lingerctl top: what a running lingerd does, interval by interval. */
#ifndef LINGERCTL_LIVE_H
#define LINGERCTL_LIVE_H

#include <stdbool.h>
#include <stdint.h>

struct live_options {
	const char *socket_path;
	uint64_t interval_ns;
	uint64_t count; /* intervals to show; 0: until a signal */
	bool json;
};

/*
 * Shows intervals on stdout until SIGINT, SIGTERM or SIGHUP, or as many as wanted: a table that is drawn anew
 * on a terminal, lines otherwise. A daemon that is gone for a while is waited for on a terminal, as long as
 * it answered at first. 0, or the negative errno of asking, as ask() has it (-EACCES also where the daemon lets nobody
 * like us ask), or LIVE_UNWRITABLE, which has been said; the terminal is as it was in any case.
 */
enum { LIVE_UNWRITABLE = 1 };
int live_run(const struct live_options *options);

#endif
