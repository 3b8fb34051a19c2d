/* SPDX-License-Identifier: MIT */
/* lingerctl status: asks a running lingerd what it has counted. */
#ifndef LINGERCTL_STATUS_H
#define LINGERCTL_STATUS_H

#include <stddef.h>
#include <stdio.h>

/*
 * Asks the daemon at socket_path. Writes its answer, "name value\n" lines and a final NUL, to text.
 * 0, or a negative errno: of socket(2), connect(2), -ETIMEDOUT when no answer came, -ENAMETOOLONG,
 * -EPROTO when the answer is none. Blocks for up to five seconds in each of connect, send, receive.
 */
int status_ask(const char *socket_path, char *text, size_t size);

/*
 * Prints an answer for people, or as one JSON object. 0, or -EPROTO when a line of it is no
 * "name value", -ENOMEM, with nothing printed in JSON. The text is taken apart in place.
 */
int status_print_table(FILE *out, char *text);
int status_print_json(FILE *out, char *text);

#endif
