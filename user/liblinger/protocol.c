/* SPDX-License-Identifier: MIT */
#include "liblinger/protocol.h"

#include <errno.h>
#include <string.h>

int linger_message_parse(const void *datagram, size_t length, struct linger_message *ret)
{
	struct linger_message message;

	if (length < sizeof(message))
		return -EBADMSG;
	memcpy(&message, datagram, sizeof(message));
	if (message.magic != LINGER_PROTOCOL_MAGIC)
		return -EBADMSG;
	if (message.version != LINGER_PROTOCOL_VERSION)
		return -EPROTONOSUPPORT;
	if (message.size != length)
		return -EBADMSG;
	if (message.type < LINGER_MESSAGE_HANDOFF || message.type > LINGER_MESSAGE_TAKE_OVER)
		return -ENOMSG;
	*ret = message;
	return 0;
}

void linger_message_parse_handoff(const void *datagram, size_t length,
				  struct linger_handoff_message *ret)
{
	const char *bytes = datagram;

	memset(ret, 0, sizeof(*ret));
	memcpy(&ret->head, bytes, sizeof(ret->head));
	if (length >= offsetof(struct linger_handoff_message, total_timeout_ms))
		memcpy(&ret->idle_timeout_ms,
		       bytes + offsetof(struct linger_handoff_message, idle_timeout_ms),
		       sizeof(ret->idle_timeout_ms));
	if (length >= sizeof(*ret))
		memcpy(&ret->total_timeout_ms,
		       bytes + offsetof(struct linger_handoff_message, total_timeout_ms),
		       sizeof(ret->total_timeout_ms));
}
