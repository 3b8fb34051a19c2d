/* SPDX-License-Identifier: MIT */
/*
 * How many processes hold a connection, for connections that are open in several: a count in memory
 * that all processes share which come from one another by fork().
 *
 * A process that ends without letting go (exit(), exec(), a signal) leaves its part of the counts
 * behind; nobody can tell that from one which still holds on. So the memory is bounded, and when it
 * is full, the oldest count is given up for the next one: who held it finds that it is not his
 * any more, and does not know how many holders there are. A count is too high or unknown, then, but
 * never too low.
 *
 * Every call is safe in threads, in signal handlers and against the other processes.
 */
#ifndef PRELOAD_HOLDERS_H
#define PRELOAD_HOLDERS_H

#include <stdbool.h>
#include <stdint.h>

/* Names a count. It never comes again for another one, and is greater than UINT32_MAX. Its bits from
 * HOLDERS_FREE_BIT to 31 are 0: there is room for a mark. */
typedef uint64_t holders_ticket;

enum { HOLDERS_FREE_BIT = 12 };

/* A new count of one holder; 0: there is no memory. */
holders_ticket holders_start(void);

/* One holder more. False: the count is unknown, and nothing was changed. */
bool holders_raise(holders_ticket ticket);

/* One holder less. True: this was the last one, and the ticket is void. False: it was not, or the
 * count is unknown. */
bool holders_lower(holders_ticket ticket);

#endif
