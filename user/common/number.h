/* SPDX-License-Identifier: MIT */
/* Numbers as people write them on a command line or in a configuration file. */
#ifndef COMMON_NUMBER_H
#define COMMON_NUMBER_H

#include <stdint.h>

/*
 * A whole decimal number from least to most, nothing before or behind it.
 * 0: *ret is set. -EINVAL: not a number; -ERANGE: outside the range; *ret is untouched then.
 */
int number_parse(const char *text, uint64_t least, uint64_t most, uint64_t *ret);

/*
 * Seconds, whole or with a fraction ("2", "0.25"), from 0 to most_s; *ret_ns in nanoseconds.
 * Errors as number_parse().
 */
int number_parse_seconds(const char *text, double most_s, uint64_t *ret_ns);

#endif
