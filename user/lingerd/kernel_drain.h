/* SPDX-License-Identifier: MIT */
/*
 * The drain in the kernel, by the program of bpf/drain.bpf.c: what comes on a connection in its table is thrown away at
 * arrival, and wakes nobody. lingerd-drain(8), which has the rights for that, has loaded the program and pinned the table;
 * here it is only opened and filled, which takes no rights but those of the file.
 *
 * What is known of the kernel, from net/core/sock_map.c and net/ipv4/tcp_bpf.c, and tried in the self-test:
 * - It takes connections that are ESTABLISHED, and no others: before the half-close.
 * - What had come before stays queued until the next segment or read.
 * - It takes a connection out when that is closed for good. Not before, even if another process goes on with it.
 * - FIN and RST wake as ever, but for EPOLLIN, which is woken for by what is thrown away, too: EPOLLRDHUP it has to be.
 */
#ifndef LINGERD_KERNEL_DRAIN_H
#define LINGERD_KERNEL_DRAIN_H

#include <stdint.h>

#include "lingerd/settings.h"

/*
 * Opens the pinned table, and tries it with a connection of our own on loopback. Returns its descriptor, which the
 * caller closes; or a negative errno with *problem said. Blocks for a moment, a second at most.
 */
int kernel_drain_open(const char *table_path, struct problem *problem);

/* Puts a connection in. 0 or a negative errno: it is as it was. Does not block. */
int kernel_drain_add(int table, int fd);

/* How many bytes have ever come on it, modulo 2^32; 0 where the kernel does not tell. Does not block. */
uint32_t kernel_drain_received(int fd);
/* And how many of them have been read. More may come meanwhile: then it may be off by that. */
uint32_t kernel_drain_consumed(int fd);
/* How many wait to be read: none, as long as the connection is in a table. */
uint32_t kernel_drain_unread(int fd);

#endif
