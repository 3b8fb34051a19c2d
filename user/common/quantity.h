/* SPDX-License-Identifier: MIT */
/*
 * Quantities as files of ours write them: bytes "5k", "1m" or "2g" (1024s), times "50us", "200ms" or "3s".
 * Each call answers as number_parse(): 0, -EINVAL or -ERANGE, *ret untouched on errors.
 */
#ifndef COMMON_QUANTITY_H
#define COMMON_QUANTITY_H

#include <stdint.h>

int quantity_parse_bytes(const char *text, uint64_t least, uint64_t most, uint64_t *ret);
int quantity_parse_time(const char *text, uint64_t least_ms, uint64_t most_ms, uint64_t *ret_ns);

#endif
