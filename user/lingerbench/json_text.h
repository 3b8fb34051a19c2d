/* SPDX-License-Identifier: MIT */
/*
 * Text of the command line and of file names in JSON: it may hold bytes that are no UTF-8, which JSON cannot. What a
 * scenario says is UTF-8, or refused.
 */
#ifndef LINGERBENCH_JSON_TEXT_H
#define LINGERBENCH_JSON_TEXT_H

#include <jansson.h>

/* The text, with '?' for what cannot be printed if it is no UTF-8. NULL: no memory. The caller's. */
json_t *json_text(const char *text);

#endif
