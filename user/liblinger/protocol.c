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
	if (message.type != LINGER_MESSAGE_HANDOFF && message.type != LINGER_MESSAGE_STATUS)
		return -ENOMSG;
	*ret = message;
	return 0;
}
