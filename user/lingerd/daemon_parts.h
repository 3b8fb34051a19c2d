/* SPDX-License-Identifier: MIT */
/*
 * What the files that make up the daemon share, and nobody else:
 *
 *	daemon.c	opens the parts, and runs the loop
 *	commands.c	what signals and lingerctl want of it
 *	ending.c	its ends: lingers come to theirs, are cut, or are left to the next process
 */
#ifndef LINGERD_DAEMON_PARTS_H
#define LINGERD_DAEMON_PARTS_H

#include "lingerd/daemon.h"
#include "lingerd/engine.h"
#include "lingerd/intake.h"
#include "lingerd/limits.h"
#include "lingerd/listener.h"
#include "lingerd/service.h"
#include "lingerd/socket_io.h"
#include "lingerd/users.h"

struct daemon {
	const struct options *options;
	struct settings settings;
	struct users users;
	struct limits limits;
	uint64_t nofile;
	struct listener listener;
	struct socket_io io;
	struct service service;
	int signals;
	struct linger_engine *engine;
	struct intake *intake;
	struct counters counters;
	uint64_t last_messages_ns;
	/* Commands that wait for the end of the round. */
	bool drain_wanted;
	int asker; /* wants to take over; -1: nobody */
	/* The end */
	bool stopping;
	bool cut;	     /* do not wait for anything any more */
	bool given_over;     /* to another process, which has the listener, too */
	uint64_t stop_at_ns; /* when stopping; UINT64_MAX: when nothing lingers any more */
};

/* commands.c */
void daemon_receive_signals(struct daemon *daemon);
intake_command_fn daemon_carry_out;

/* ending.c */
void daemon_stop(struct daemon *daemon);  /* as at SIGTERM */
void daemon_drain(struct daemon *daemon); /* without a limit of time */
void daemon_give_over(struct daemon *daemon);
bool daemon_ended(const struct daemon *daemon);
/* Takes what is still queued, and leaves or cuts what lingers; counts it. */
void daemon_finish(struct daemon *daemon);
void daemon_say_end(const struct counters *counters);

#endif
