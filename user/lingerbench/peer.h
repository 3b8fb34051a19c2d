/* SPDX-License-Identifier: MIT */
/*
 * What a client does, as a script of one line: "get receive pause:200ms close". Steps run in order;
 * a peer that behaves in a new way is a new line in a scenario and no code.
 *
 *	window:BYTES		have a receive buffer of that size (SO_RCVBUF); only as the first step, before connect()
 *	get			send a request without a body
 *	post:BYTES		send the head of a request whose body has that many bytes
 *	upload:COUNTxBYTES/TIME	send COUNT pieces of the body, TIME apart; a send that fails ends the step
 *	read:COUNTxBYTES/TIME	read COUNT pieces of the response, TIME apart; EOF or an error ends the step
 *	receive			read until EOF or an error
 *	pause:TIME		do nothing
 *	half-close		shutdown(SHUT_WR)
 *	vanish			from now on nothing comes in, and so nothing is acknowledged: a filter on the socket drops
 *				every packet. What it sends itself still goes out, a FIN would be repeated for
 *				minutes: such a script ends with reset, as a host does that is back and knows nothing
 *	close			close(); every script ends with this or with
 *	reset			close() with l_linger 0: RST
 *
 * BYTES take the suffixes k and m (1024s), TIME takes us, ms and s.
 */
#ifndef LINGERBENCH_PEER_H
#define LINGERBENCH_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum peer_step_kind {
	PEER_WINDOW,
	PEER_GET,
	PEER_POST,
	PEER_UPLOAD,
	PEER_READ,
	PEER_RECEIVE,
	PEER_PAUSE,
	PEER_HALF_CLOSE,
	PEER_VANISH,
	PEER_CLOSE,
	PEER_RESET,
};

struct peer_step {
	enum peer_step_kind kind;
	uint64_t bytes;	   /* window; post: of the body; upload, read: of a piece */
	uint64_t count;	   /* upload, read: pieces */
	uint64_t pause_ns; /* pause; upload, read: between two pieces */
};

enum { PEER_MAX_STEPS = 16, PEER_MAX_NAME = 32 };

struct peer {
	char name[PEER_MAX_NAME];
	char script[192];
	struct peer_step steps[PEER_MAX_STEPS];
	size_t step_count;
};

/* 0, or -EINVAL with the reason in error[] and *ret untouched. */
int peer_parse(const char *name, const char *script, struct peer *ret, char *error,
	       size_t error_size);

/* Whether the script reads until EOF or an error. */
bool peer_looks_for_end(const struct peer *peer);

/* The peers that need no line in a scenario; ends with a NULL name. */
struct peer_default {
	const char *name;
	const char *script;
	const char *summary;
};

extern const struct peer_default peer_defaults[];

#endif
