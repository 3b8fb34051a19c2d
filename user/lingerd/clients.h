/* SPDX-License-Identifier: MIT */
/*
 * Counts connections by the address of the client: of IPv6 the first 64 bits, since the rest is
 * the client's to choose. A hash table of fixed size, keyed at random, so that no client can choose
 * its place in it.
 *
 * No call blocks or allocates, but for clients_new().
 */
#ifndef LINGERD_CLIENTS_H
#define LINGERD_CLIENTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct clients;

/*
 * Room for as many clients at once, in memory that is touched as they come. shared: with the children that are forked later, one
 * of which may change it while others call clients_count(). NULL: no memory.
 */
struct clients *clients_new(uint32_t size, bool shared);
/* NULL is allowed. */
void clients_free(struct clients *clients);

/*
 * Counts one more connection of this client. *ret_count: with this one. Returns the handle to give
 * to clients_remove(), or 0 when the address is none of IP or the table is full: not counted then.
 */
uint32_t clients_add(struct clients *clients, const struct sockaddr_storage *address,
		     uint32_t *ret_count);
/* How many connections of this client are counted; roughly, while another process changes that. */
uint32_t clients_count(const struct clients *clients, const struct sockaddr_storage *address);
/* One connection less. 0 is allowed. */
void clients_remove(struct clients *clients, uint32_t handle);

#endif
