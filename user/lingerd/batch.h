/* SPDX-License-Identifier: MIT */
/*
 * Some connections that linger, in one message over a Unix socket (SOCK_SEQPACKET): their descriptors (SCM_RIGHTS) and
 * what has to be known of each, in order. How they get from one process to another.
 */
#ifndef LINGERD_BATCH_H
#define LINGERD_BATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "lingerd/engine.h"
#include "lingerd/settings.h"
#include "lingerd/users.h"

enum {
	/* "LINH", and what follows: records of struct linger_record. */
	BATCH_MAGIC = 0x484e494c,
	BATCH_VERSION = 2,
	/* unix(7): SCM_MAX_FD is 253; a message must also fit into a small buffer of the system. */
	BATCH_MAX = 128,
};

struct batch_header {
	uint32_t magic;
	uint16_t version;
	uint16_t count; /* of records, and of descriptors */
};

struct batch {
	struct batch_header header;
	struct linger_record records[BATCH_MAX];
	int fds[BATCH_MAX]; /* not part of the bytes */
};

/* Takes up to `most` out of the engine, the oldest first; their descriptors are the caller's then. */
void batch_collect(struct batch *ret, struct linger_engine *engine, uint16_t most);
/* Gives back what batch_collect() took, or closes our descriptors of what has been sent. */
void batch_return(const struct batch *batch, struct linger_engine *engine);
void batch_close(const struct batch *batch);
/* Goes on with what another process has collected. */
void batch_adopt(struct batch *batch, struct linger_engine *engine, struct users *users,
		 const struct settings *settings);

/* The descriptors stay the caller's. 0 or a negative errno. Does not block. */
int batch_send(int socket, const struct batch *batch);
/*
 * 1: a batch, whose descriptors are the caller's. 0: there are no more. -EPROTO: what came is no batch. Does not wait but
 * for memory.
 */
int batch_receive(int socket, struct batch *ret);
/* Whether the next batch is one of another version of lingerd, which batch_receive() would not take. Receives nothing. */
bool batch_is_foreign(int socket);
/* How many descriptors the next batch brings; 0: there is none, or it is none. Receives nothing. */
uint16_t batch_ahead(int socket);

#endif
