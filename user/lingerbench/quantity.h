/* SPDX-License-Identifier: MIT */
/*
 * Quantities as a scenario writes them: bytes "5k" or "1m" (1024s), times "200ms" or "3s".
 * Each call answers as number_parse(): 0, -EINVAL or -ERANGE, *ret untouched on errors.
 */
#ifndef LINGERBENCH_QUANTITY_H
#define LINGERBENCH_QUANTITY_H

#include <stdint.h>

int quantity_parse_bytes(const char *text, uint64_t least, uint64_t most, uint64_t *ret);
int quantity_parse_time(const char *text, uint64_t least_ms, uint64_t most_ms, uint64_t *ret_ns);

#endif
