/* SPDX-License-Identifier: MIT */
/* Why the kernel sent an RST, in its own words. */
#ifndef TRACER_RESET_REASON_H
#define TRACER_RESET_REASON_H

#include <stdint.h>

/*
 * The name that the running kernel has for the number, as "tcp_abort_on_close": its enum sk_rst_reason in lower
 * case, without the prefix. The numbers change from kernel to kernel, so the names are read from its BTF, once.
 * NULL: not known, or the kernel (before Linux 6.10) has no such reasons. Not for several threads.
 */
const char *reset_reason_name(uint32_t reason);

#endif
