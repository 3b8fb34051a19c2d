/* SPDX-License-Identifier: MIT */
/*
 * What the files of the engine share, and nobody else:
 *
 *	engine.c	  the life of a connection: taken, ready, due, ended
 *	engine_draining.c what its peer sends: read and thrown away, or thrown away by the kernel
 *	engine_patience.c when its time is over, and who has more
 *	engine_passing.c  from one process to the next
 */
#ifndef LINGERD_ENGINE_PARTS_H
#define LINGERD_ENGINE_PARTS_H

#include "lingerd/clients.h"
#include "lingerd/deadlines.h"
#include "lingerd/engine.h"
#include "lingerd/queue.h"
#include "lingerd/resting.h"

enum { NOT_LOOKED_AT = UINT32_MAX };

/* What is kept of an open connection besides its deadline and its age. */
struct lingering {
	uint64_t taken_ns;
	uint64_t drained : 47;	   /* bytes thrown away since */
	uint64_t in_kernel : 1;	   /* by the kernel */
	uint64_t user : 16;	   /* of users.h */
	uint32_t moved_ms;	   /* after it was taken: its last sign of life, rounded up */
	uint32_t idle_timeout_ms;  /* as its sender asked; 0: it did not */
	uint32_t total_timeout_ms; /* likewise */
	uint32_t unsent;	   /* the send queue when it was last looked at, or NOT_LOOKED_AT */
	uint32_t received; /* in_kernel: what had come when it was last looked at, modulo 2^32 */
	uint32_t client;   /* handle of clients.h; 0: not counted */
} __attribute__((packed, aligned(4)));

struct linger_engine {
	struct deadlines deadlines;
	struct queue ages; /* the oldest first */
	struct resting resting;
	struct lingering *lingers; /* by fd */
	struct users *users;
	struct clients *clients;
	linger_clients_fn *clients_elsewhere;
	const void *elsewhere_context;
	uint32_t max_per_client;
	const struct linger_io *io;
	void *io_context;
	struct counters *counters;
	struct linger_times times;
};

static inline uint64_t engine_now_ns(const struct linger_engine *engine)
{
	return engine->io->now_ns(engine->io_context);
}

static inline const struct linger_policy *engine_policy(const struct linger_engine *engine,
							uint16_t user)
{
	return &engine->users->list[user].policy;
}

/* -- engine_draining.c -- */

/* How much is read at a time. */
struct bounds {
	int reads;
	uint64_t bytes;
};

extern const struct bounds engine_a_turn;   /* for one event */
extern const struct bounds engine_the_rest; /* before a connection is given up */

struct drained {
	enum linger_end end; /* LINGER_OPEN: there may be more to come */
	ssize_t last;	     /* what the last read said */
	uint64_t bytes;
};

/* Reads what is there, within bounds. */
struct drained engine_drain(struct linger_engine *engine, int fd, struct bounds most);
/* The same for an open one, which also has its byte cap. */
struct drained engine_drain_open(struct linger_engine *engine, int fd, struct bounds most);
/* From now on the kernel does it, if it can: whether it does. What is there already goes, too. */
bool engine_drain_in_kernel(struct linger_engine *engine, int fd, uint32_t *ret_received);
/* Counts, and returns, what the kernel has thrown away of one since *received was what had come. */
uint32_t engine_count_received(struct linger_engine *engine, int fd, enum linger_end end,
			       uint32_t *received);
/* The same for an open one, since the last time, if the kernel drains it: whether there was something. */
bool engine_count_in_kernel(struct linger_engine *engine, int fd, enum linger_end end);

/*
 * The table that it was in may have gone with the process before this one: then what comes waits, and is to be read.
 * Whether that is so; it is watched for data then.
 */
bool engine_reads_again(struct linger_engine *engine, int fd);

/* -- engine_patience.c -- */

uint64_t engine_total_deadline(const struct linger_engine *engine, const struct lingering *linger);
/* The earlier one of its idle and its total timeout. */
uint64_t engine_deadline(const struct linger_engine *engine, const struct lingering *linger);
/* It has no deadline, and gets one: its own, or an earlier one for a look. */
void engine_schedule(struct linger_engine *engine, int fd, uint64_t now);
/* It has given a sign of life now. */
void engine_note_life(struct linger_engine *engine, int fd, uint64_t now);
/*
 * Looks at one that is due. Whether that was all: its own deadline has not come, and it has been given that or another
 * look ahead.
 */
bool engine_was_only_a_look(struct linger_engine *engine, int fd, uint64_t now);
/* Its peer takes nothing: the send queue does not shrink. Of one that was never looked at, it is not known. */
bool engine_send_queue_stands(struct linger_engine *engine, int fd);

/* -- engine.c -- */

void engine_watch(struct linger_engine *engine, int fd);
/* *ret: what clients_remove() is to be given; 0 if it is not counted. */
bool engine_client_has_room(struct linger_engine *engine, int fd, uint32_t user, uint32_t *ret);
/* All that is known of it is in its place. */
void engine_begin(struct linger_engine *engine, int fd, uint64_t now);
/* Out of all tables. Its deadline is taken out already. */
void engine_forget(struct linger_engine *engine, int fd);
/* Unwatched, without a deadline, and of no age. */
void engine_close(struct linger_engine *engine, int fd, uint16_t user, enum linger_end end,
		  uint64_t lasted_ns);

#endif
