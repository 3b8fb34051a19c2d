/* SPDX-License-Identifier: MIT */
/* Quantities for people. All of them return `text`. */
#ifndef COMMON_UNITS_H
#define COMMON_UNITS_H

#include <stdint.h>

enum { UNITS_SIZE = 24 };

/* Three digits and a unit: "17 bytes", "1.2 kB", "340 MB". */
const char *units_bytes(char text[UNITS_SIZE], uint64_t bytes);
/* "850 us", "1.2 ms", "60.1 s" */
const char *units_duration(char text[UNITS_SIZE], uint64_t ns);

/* At most five characters: "99999", "100k", "1234M"; "0.3", "999.9", "1000". */
const char *units_count(char text[UNITS_SIZE], uint64_t count);
const char *units_rate(char text[UNITS_SIZE], double per_s);

/* What stands behind a noun that is counted: "s", or nothing for 1. */
const char *units_plural(uint64_t count);

#endif
