/* SPDX-License-Identifier: MIT */
/*
 * A new lingerd takes over from the one that runs, without a service manager: it asks on the
 * socket, and gets the listening socket, the lock on its path, and what lingers. The other one ends.
 * Both must be of the same user, or the new one root's.
 */
#ifndef LINGERD_TAKEOVER_H
#define LINGERD_TAKEOVER_H

#include "lingerd/inherited.h"
#include "lingerd/settings.h"

/*
 * Asks the daemon on the other end of this socket. 0 with *ret filled; it holds nothing (listener -1) when
 * nobody listens there. Otherwise a negative errno with *problem said. Waits for up to ten seconds.
 */
int takeover_ask(struct inherited *ret, const char *socket_path, struct problem *problem);

/*
 * The other side: sends it all to who has asked, who owns it then; our own descriptors stay the
 * caller's. 0, or a negative errno with nothing given away. Does not block.
 */
int takeover_answer(int asker, const struct inherited *legacy);

#endif
