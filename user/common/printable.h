/* SPDX-License-Identifier: MIT */
/*
 * Text that a process chose itself, such as its name, may hold anything: control sequences for the
 * terminal, line ends, bytes that are no UTF-8. This makes it fit for people and for JSON.
 */
#ifndef COMMON_PRINTABLE_H
#define COMMON_PRINTABLE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Copies at most size - 1 bytes of `from`, which ends at its 0 or after from_size bytes, and ends them with
 * 0. Each byte that is no part of a whole character in UTF-8, or is one of a control character, becomes '?'.
 */
void printable_copy(char *to, size_t size, const char *from, size_t from_size);

/* Whether the text is UTF-8, control characters of ASCII allowed. */
bool printable_is_utf8(const char *text);

#endif
