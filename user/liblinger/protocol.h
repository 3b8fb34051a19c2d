/* SPDX-License-Identifier: MIT */
/*
 * The messages between liblinger, lingerctl and lingerd: lingerd-protocol(7) says it in words.
 *
 * One message is one datagram of an AF_UNIX SOCK_SEQPACKET connection. Both sides are on one host,
 * so numbers are in its byte order.
 */
#ifndef LINGER_PROTOCOL_H
#define LINGER_PROTOCOL_H

#include <stddef.h>
#include <stdint.h>

#define LINGER_PROTOCOL_MAGIC	0x474e494cU /* "LING" on a little-endian host */
#define LINGER_PROTOCOL_VERSION 1

/*
 * How the one datagram begins that a process gets unasked: it is none of those that may hand over.
 * Its connection takes nothing more.
 */
#define LINGER_TURNED_AWAY "error: not allowed: "

enum linger_message_type {
	LINGER_MESSAGE_HANDOFF = 1, /* carries one fd (SCM_RIGHTS); is not answered */
	/* Those below carry none, and are answered by one datagram. */
	LINGER_MESSAGE_STATUS = 2, /* "name value\n" lines */
	LINGER_MESSAGE_DRAIN =
		3, /* take no more, end when nothing lingers; "ok..." or "error..." */
	LINGER_MESSAGE_CLOSE_ALL = 4, /* close what lingers; likewise */
	LINGER_MESSAGE_RELOAD = 5,    /* read the configuration again; likewise */
	/* "ok..." with the listening socket, its lock and what lingers, or "error..." with nothing */
	LINGER_MESSAGE_TAKE_OVER = 6,
};

enum linger_message_flags {
	LINGER_HALF_CLOSED = 1 << 0, /* HANDOFF: the sender has called shutdown(SHUT_WR) */
};

struct linger_message {
	uint32_t magic;
	uint16_t version;
	uint16_t size; /* of the whole message; larger once fields are appended */
	uint16_t type;
	uint16_t flags;	   /* unknown ones are ignored */
	uint32_t reserved; /* sent as 0, ignored */
};

/*
 * A HANDOFF that asks for timeouts, 0 where it does not. One that asks for none may be the short
 * message alone; daemons from before these fields read no more than that.
 */
struct linger_handoff_message {
	struct linger_message head;
	uint32_t idle_timeout_ms;
	uint32_t total_timeout_ms;
};

_Static_assert(sizeof(struct linger_message) == 16, "the wire format has no padding");
_Static_assert(sizeof(struct linger_handoff_message) == 24, "the wire format has no padding");

/*
 * Reads a datagram of length bytes into *ret. 0, or a negative errno with *ret untouched:
 *	-EBADMSG	too short, not our magic, or size disagrees with length
 *	-EPROTONOSUPPORT	another protocol version
 *	-ENOMSG		an unknown type
 */
int linger_message_parse(const void *datagram, size_t length, struct linger_message *ret);

/*
 * The same for all that is known of a HANDOFF, from a datagram that linger_message_parse() has
 * taken: a field that is not in it, or not as a whole, is 0.
 */
void linger_message_parse_handoff(const void *datagram, size_t length,
				  struct linger_handoff_message *ret);

#endif
