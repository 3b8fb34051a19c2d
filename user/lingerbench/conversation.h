/* SPDX-License-Identifier: MIT */
/* One connection of the client process: follows its peer's script and judges what it received. */
#ifndef LINGERBENCH_CONVERSATION_H
#define LINGERBENCH_CONVERSATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lingerbench/peer.h"
#include "lingerbench/response.h"
#include "lingerbench/rows.h"
#include "lingerbench/transport.h"

enum { CONVERSATION_HEAD_BYTES = 1024, CONVERSATION_BUFFER_BYTES = 256 * 1024 };

#define CONVERSATION_NEVER UINT64_MAX

struct conversation {
	struct transport transport; /* connected; its fd is -1: it is over */
	uint64_t number;
	const struct peer *peer;
	const struct response *response;
	unsigned char *buffer; /* CONVERSATION_BUFFER_BYTES, shared: nothing stays in it */
	struct client_row *row;
	uint64_t wake_ns;     /* end of a pause, CONVERSATION_NEVER: none is on */
	uint64_t deadline_ns; /* of the response; CONVERSATION_NEVER once it was judged */

	/* Its own. */
	bool step_begun;
	bool head_done;
	size_t step;
	bool vanished;
	uint64_t step_bytes; /* sent or read in the step under way */
	size_t head_bytes;
	char head[CONVERSATION_HEAD_BYTES + 1];
};

/* Does what of the script has to be done before connect(); the socket is there, and not connected yet. */
void conversation_prepare(struct conversation *conversation);

/*
 * Goes on as far as it can without blocking: to be called once connected, at every event of its fd
 * (I/O is tried, so edges suffice), and when wake_ns has come. Closes it at the end of the script.
 */
void conversation_go_on(struct conversation *conversation);

/* Ends it before its time: notes the outcome and the error (negative errno), closes it. */
void conversation_fail(struct conversation *conversation, enum outcome outcome, int error);

#endif
