/* SPDX-License-Identifier: MIT */
/*
 * The intake: the listener, the senders connected to it, and what they send. Handoffs go to the
 * engine, questions and commands are answered, all else is counted and closed.
 *
 * A sender is in one of these states:
 *
 *	active	  read whenever something is there. In a queue by last use: when there are too
 *		  many senders, the one silent for longest is evicted.
 *	parked	  its next message carries fds, and the engine is full, or as many connections of its
 *		  user linger as are allowed; or the kernel has no room to watch it: not watched. Messages without fds are served until
 *		  then, so a full daemon still answers questions. When every sender is parked, new
 *		  ones, and their questions, wait in the listener's backlog.
 *	leaving	  shut down for reading: nothing more can be sent (the sender gets EPIPE, and
 *		  liblinger connects anew), what is queued is still taken, then it is closed.
 *
 * Invariants:
 * - A message with fds is received only when there is room for them: a process at its fd limit
 *   would lose them without a trace.
 * - A sender is closed by us only when it has hung up or its queue has been read to the end after
 *   a shutdown, so that no handoff gets lost between the last read and the close. The exception
 *   is one that is not allowed to be there.
 *
 * No call blocks.
 */
#ifndef LINGERD_INTAKE_H
#define LINGERD_INTAKE_H

#include <stdbool.h>
#include <stdint.h>

#include "liblinger/protocol.h"
#include "lingerd/counters.h"
#include "lingerd/engine.h"
#include "lingerd/limits.h"
#include "lingerd/settings.h"

struct intake;

enum { COMMAND_ANSWER_SIZE = 600 };

/*
 * Carries a command of this sender out, and writes "ok..." or "error...", a line of text; an empty
 * text: it will be answered later, by other means.
 */
typedef void intake_command_fn(void *context, int sender, enum linger_message_type command,
			       char answer[COMMAND_ANSWER_SIZE]);

/* All of it stays the caller's, and must outlive the intake. */
struct intake_parts {
	int epoll;
	int listener;
	const struct limits *limits;
	const struct settings *settings; /* may change, see intake_settings_changed() */
	struct users *users;
	struct linger_engine *engine;
	struct counters *counters;
	intake_command_fn *command;
	/* Where the daemon has other processes beside this one; else NULL. */
	const struct counters *(*totals)(void *context); /* what status is answered with */
	void (*shed)(void *context);			 /* the oldest one of all */
	void *context;					 /* of all three */
};

/* 0 or a negative errno, *ret untouched. */
int intake_new(struct intake **ret, const struct intake_parts *parts);
/* Frees the intake; senders must be gone, see intake_finish(). NULL is allowed. */
void intake_free(struct intake *intake);

void intake_listener_ready(struct intake *intake);
void intake_sender_ready(struct intake *intake, int fd);

/* Senders who are not allowed any more begin to leave. */
void intake_settings_changed(struct intake *intake);

/* After lingers may have ended: lets parked senders go on if there is room again. */
void intake_resume(struct intake *intake);
/* When it should be called even if nothing happens; UINT64_MAX: never. */
uint64_t intake_next_ns(const struct intake *intake);

/*
 * Messages read, and whether any sender had more to say than fits in a turn, since the last call
 * of this.
 */
uint32_t intake_round(struct intake *intake, bool *ret_more);

enum intake_stop {
	INTAKE_CLOSE_BACKLOG, /* who has connected and was not accepted yet is taken, and leaves, too */
	INTAKE_LEAVE_BACKLOG, /* another process goes on with the listener: it is not touched */
};

/*
 * No new connections; all senders begin to leave. Goes on through events and intake_resume() until
 * intake_done(), when it is done with the listener, too.
 */
void intake_stop(struct intake *intake, enum intake_stop backlog);
bool intake_done(const struct intake *intake);
/* The opposite of intake_stop(INTAKE_LEAVE_BACKLOG). Senders that had to leave come back by themselves. */
void intake_go_on(struct intake *intake);

/* Makes room for at least one more connection; false: there is none to be made. */
typedef bool intake_room_fn(void *context);

/*
 * After intake_stop(): takes all that senders have queued, and closes them. What there is no room for is made
 * room for. Does not wait for senders. False: there was no room to be made; the senders whose queues have not been
 * taken to their end are left as after intake_stop().
 */
bool intake_finish(struct intake *intake, intake_room_fn *room, void *context);

#endif
