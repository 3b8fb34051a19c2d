/* SPDX-License-Identifier: MIT */
/* Asks a running lingerd. */
#ifndef LINGERCTL_ASK_H
#define LINGERCTL_ASK_H

#include <stddef.h>

#include "liblinger/protocol.h"

/*
 * Sends a message without a descriptor to the daemon behind this socket, and receives its answer: text
 * with a final NUL, cut at size. Waits for up to five seconds for each step. 0 or a negative errno: -ETIMEDOUT
 * when there was no answer, -EPROTO when the other end hung up instead.
 */
int ask(const char *socket_path, enum linger_message_type type, char *text, size_t size);

#endif
