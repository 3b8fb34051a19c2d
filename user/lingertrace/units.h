/* SPDX-License-Identifier: MIT */
/* Quantities for people: three digits and a unit. */
#ifndef LINGERTRACE_UNITS_H
#define LINGERTRACE_UNITS_H

#include <stdint.h>

enum { UNITS_SIZE = 24 };

/* "17 bytes", "1.2 kB", "340 MB". Both return `text`. */
const char *units_bytes(char text[UNITS_SIZE], uint64_t bytes);
/* "850 us", "1.2 ms", "60.1 s" */
const char *units_duration(char text[UNITS_SIZE], uint64_t ns);

#endif
