/* SPDX-License-Identifier: MIT */
/* What the running kernel lets the tracer see. */
#ifndef TRACER_KERNEL_SUPPORT_H
#define TRACER_KERNEL_SUPPORT_H

#include <stdbool.h>

/*
 * Whether tracepoints alone can follow FIN_WAIT_2 after close(). It takes a kfree_skb that tells the socket,
 * Linux 6.11, and the address of a kernel function, CAP_SYSLOG.
 */
bool kernel_shows_mini_sockets(void);

/* Whether the kernel says why it sends an RST: Linux 6.10. */
bool kernel_tells_reset_reason(void);

#endif
