/* SPDX-License-Identifier: MIT */
/*
 * Answers of a running lingerd, for people and programs: what it has counted (LINGER_MESSAGE_STATUS), and what has become
 * of a command.
 */
#ifndef LINGERCTL_STATUS_H
#define LINGERCTL_STATUS_H

#include <stdbool.h>
#include <stdio.h>

#include "lingerd/counters.h"

/* What the daemon says instead of an answer, without "error: "; NULL: it is one. The text is cut at its line end. */
const char *answer_error(char *text);

/*
 * Prints an answer for people, or as one JSON object. 0, or -EPROTO when a line of it is no
 * "name value", -ENOMEM, with nothing printed in JSON. The text is taken apart in place.
 */
int status_print_table(FILE *out, char *text);
int status_print_json(FILE *out, char *text);

/* Prints {"ok": ..., "message": ...} on a line. 0 or -ENOMEM with nothing printed. */
int answer_print_json(FILE *out, bool ok, const char *message);

/*
 * Reads an answer into *ret: counters that are not in it (an older daemon's) are 0, those that only a newer
 * one has are left out. 0 or -EPROTO with *ret untouched.
 */
int status_read(char *text, struct counters *ret);

#endif
