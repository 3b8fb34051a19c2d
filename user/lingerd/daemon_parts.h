/* SPDX-License-Identifier: MIT */
/*
 * What the files that make up the daemon share, and nobody else:
 *
 *	daemon.c	opens the parts, and closes them
 *	loop.c		waits for what happens, and has each part do its work
 *	sharing.c	what it shares out to its other processes, and has in common with them
 *	commands.c	what signals and lingerctl want of it
 *	telling.c	what it tells of itself: to the service manager, in the log, as metrics
 *	ending.c	its ends: lingers come to theirs, are cut, or are left to the next process
 */
#ifndef LINGERD_DAEMON_PARTS_H
#define LINGERD_DAEMON_PARTS_H

#include "lingerd/daemon.h"
#include "lingerd/endpoint.h"
#include "lingerd/engine.h"
#include "lingerd/intake.h"
#include "lingerd/journal.h"
#include "lingerd/limits.h"
#include "lingerd/listener.h"
#include "lingerd/pidfile.h"
#include "lingerd/service.h"
#include "lingerd/socket_io.h"
#include "lingerd/users.h"
#include "lingerd/workers.h"

struct daemon {
	const struct options *options;
	struct settings settings;
	struct users users;
	struct limits limits;
	uint64_t nofile;
	struct listener listener;
	struct pidfile pidfile;
	int epoll;
	struct socket_io io;
	struct service service;
	int signals;
	struct linger_engine *engine;
	struct intake *intake;
	struct counters counters;
	struct workers *workers; /* NULL: there is one process only, this one */
	struct counters totals;	 /* of all processes, see daemon_totals() */
	uint32_t own_room;	 /* connections of this process at most */
	uint64_t coming_back;	 /* in `left`: our own, which nobody has taken over */
	struct succession left;	 /* by another process, and not taken yet: there was no room */
	uint64_t last_messages_ns;
	uint64_t rest_ns; /* after rounds of a busy daemon */
	/* What it tells */
	uint64_t start_s; /* since 1970 */
	struct metrics_histogram rounds;
	struct journal journal;
	struct endpoint endpoint;
	uint64_t reopen_at_ns; /* the endpoint's place was taken; 0: it is open, or there is none */
	/* Commands that wait for the end of the round. */
	bool drain_wanted;
	int asker; /* to whoever wants to take over: a descriptor of our own; -1: nobody */
	/* The end */
	bool stopping;
	bool cut;	     /* do not wait for anything any more */
	bool given_over;     /* to another process, which has the listener, too; when stopping */
	uint64_t stop_at_ns; /* when stopping; UINT64_MAX: when nothing lingers any more */
};

/* commands.c */
void daemon_receive_signals(struct daemon *daemon);
intake_command_fn daemon_carry_out;

/* telling.c */
void daemon_begin_telling(struct daemon *daemon);
int daemon_open_endpoint(struct daemon *daemon, struct problem *problem);
/* Where others rely on it already: a failure is logged, and there are no metrics. */
void daemon_reopen_endpoint(struct daemon *daemon);
/* At the end of each round of the loop. */
void daemon_tell(struct daemon *daemon, uint64_t round_began_ns);
/* When there is something to tell; UINT64_MAX: never. */
uint64_t daemon_next_telling_ns(const struct daemon *daemon);

/* daemon.c */
/* Goes on with what another process has left, as far as there is room. Returns how many more linger. */
uint32_t daemon_go_on(struct daemon *daemon);

/* sharing.c */
/* Before any descriptor is opened that is not in inherited. */
int daemon_start_workers(struct daemon *daemon, const struct inherited *inherited,
			 struct problem *problem);
/* In every round: moves what others can linger. */
void daemon_share(struct daemon *daemon);
/* How many connections this process may have now: limits.connections. */
void daemon_limit(struct daemon *daemon);
/* When daemon_share() has something to do; UINT64_MAX: never. */
uint64_t daemon_next_sharing_ns(const struct daemon *daemon);
/* What all processes have counted; of a daemon. */
const struct counters *daemon_totals(void *context);
/* Gives up the oldest one of all; of a daemon. */
void daemon_shed(void *context);
/* Puts what the others linger behind the `gone` connections that are in queues already, as far as the system lets us. */
void daemon_leave_shelved(struct daemon *daemon, struct succession *left, uint64_t gone);

/* ending.c */
void daemon_stop(struct daemon *daemon);  /* as at SIGTERM */
void daemon_drain(struct daemon *daemon); /* without a limit of time */
void daemon_give_over(struct daemon *daemon);
bool daemon_ended(struct daemon *daemon);
/* Takes what is still queued, and leaves or cuts what lingers; counts it. */
void daemon_finish(struct daemon *daemon);

#endif
