/* SPDX-License-Identifier: MIT */
/*
 * What the front process and a shelf say to each other, over a pair of sockets (SOCK_SEQPACKET), in order: the front
 * sends batches (batch.h) and commands, the shelf answers some of them. No call blocks.
 */
#ifndef LINGERD_CHANNEL_H
#define LINGERD_CHANNEL_H

#include <stdint.h>

#include "lingerd/settings.h"
#include "lingerd/succession.h"

enum channel_command_kind {
	CHANNEL_RELOAD = 1, /* settings hold from now on */
	CHANNEL_CLOSE_ALL,
	CHANNEL_SHED,  /* the oldest one */
	CHANNEL_LEAVE, /* put up to `most` into queues, and answer with them: CHANNEL_LEFT */
	CHANNEL_END,   /* cut what lingers, and end */
};

struct channel_command {
	uint32_t kind;
	uint32_t kept_free; /* of CHANNEL_LEAVE: see succession.h */
	uint64_t most;
	struct settings settings; /* of CHANNEL_RELOAD alone */
};

enum channel_answer_kind {
	CHANNEL_READY, /* or why it is not: problem */
	CHANNEL_LEFT,  /* with queues, which hold `count` */
};

struct channel_answer {
	enum channel_answer_kind kind;
	uint32_t count;
	struct problem problem; /* "": there is none */
};

/* What comes next; nothing is received. */
enum channel_ahead {
	CHANNEL_NOTHING,
	CHANNEL_HUNG_UP,
	CHANNEL_BATCH,
	CHANNEL_COMMAND,
};

int channel_tell(int channel, const struct channel_command *command);
enum channel_ahead channel_look_ahead(int channel);
/* 0, or a negative errno: -EPROTO if it is no command, or one that is cut off. */
int channel_hear(int channel, struct channel_command *ret);

/* queues stay the caller's; NULL: there are none. 0 or a negative errno. */
int channel_answer(int channel, const struct channel_answer *answer,
		   const struct succession *queues);
/* *ret_queues: the caller's then. 0; -EAGAIN: there is none yet; -EPIPE: the other one is gone. */
int channel_get_answer(int channel, struct channel_answer *ret, struct succession *ret_queues);

#endif
