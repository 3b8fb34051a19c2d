/* SPDX-License-Identifier: MIT */
/* What the running kernel lets the tracer see. */
#ifndef TRACER_KERNEL_SUPPORT_H
#define TRACER_KERNEL_SUPPORT_H

#include <stdbool.h>

/*
 * Whether FIN_WAIT_2 can be followed after close(). It takes a kfree_skb that tells the socket,
 * Linux 6.11, and the address of a kernel function, CAP_SYSLOG.
 */
bool kernel_shows_mini_sockets(void);

#endif
