/* SPDX-License-Identifier: MIT */
/*
 * The datagrams of a sender, with the fds that came along: received, judged, and every fd that is
 * not a TCP socket to linger closed at once.
 */
#ifndef LINGERD_MESSAGE_H
#define LINGERD_MESSAGE_H

#include "liblinger/protocol.h"
#include "lingerd/engine.h"

enum message_kind {
	MESSAGE_NONE,  /* the queue is empty for now */
	MESSAGE_LATER, /* something may be there, and the system is too short of memory to say */
	MESSAGE_END,   /* the sender is gone, or broken */
	MESSAGE_HANDOFF,
	MESSAGE_STATUS,
	MESSAGE_COMMAND, /* lingerctl's: drain, close-all, reload */
	/* refusals: whatever came along has been closed */
	MESSAGE_NO_FD,
	MESSAGE_MANY_FDS,
	MESSAGE_NOT_TCP,
	MESSAGE_BAD,
	MESSAGE_VERSION,
	MESSAGE_TRUNCATED,
	/* refusals by who the sender is, which message_receive() does not know */
	MESSAGE_SENDER_NOT_ALLOWED,
	MESSAGE_COMMAND_NOT_ALLOWED,
	MESSAGE_KINDS,
};

struct message {
	enum message_kind kind;
	int fd;			/* HANDOFF: the caller's from now on; else -1 */
	struct handoff handoff; /* of a HANDOFF, but for the user */
	enum linger_message_type command;
};

enum {
	MESSAGE_BATCH = LINGER_BATCH,
	/* SCM_MAX_FD of unix(7): so many fds may come with each, if its sender is hostile. */
	MESSAGE_FDS_MAX = 253,
};

/*
 * Receives up to so many datagrams, at most MESSAGE_BATCH; does not block. Whatever fds came along are received, and
 * closed but for those of HANDOFFs. Returns how many there are in ret, at least one: NONE, LATER and END come by
 * themselves or last. Less than asked for: the queue is empty, or will say so.
 * After the sender has hung up, END comes once the queue has no more bytes.
 */
int message_receive_batch(int sender, struct message *ret, int most);

/* The same for one. */
struct message message_receive(int sender);

/* The same for a sender that will not be come back to: waits for memory (shortage.h). */
struct message message_receive_last(int sender, int *waits);

enum message_ahead {
	AHEAD_NONE,
	AHEAD_WITHOUT_FDS, /* or the end, or an error: message_receive() tells */
	AHEAD_WITH_FDS,
};

/* What message_receive() would meet; receives nothing. Does not block. */
enum message_ahead message_look_ahead(int sender);

#endif
