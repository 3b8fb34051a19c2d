/* SPDX-License-Identifier: MIT */
/*
 * A new lingerd takes over from the one that runs, without a service manager. Both must be of the same user, or the
 * new one root's.
 *
 *	the new one			the one that runs
 *	takeover_ask()	   --asks-->
 *					stops, puts what lingers into queues
 *			   <--gives--	takeover_answer(): listening socket, lock, queues
 *	opens all that it needs		waits
 *	takeover_confirm() --confirms->	takeover_confirmed(): ends
 *
 * Whoever asked and cannot go on hangs up, or says nothing for too long: then the one that runs takes all of it back,
 * and nothing was lost.
 */
#ifndef LINGERD_TAKEOVER_H
#define LINGERD_TAKEOVER_H

#include "lingerd/inherited.h"
#include "lingerd/settings.h"

/*
 * Asks the daemon on the other end of this socket. 0 with *ret filled; it holds nothing (listener -1) when
 * nobody listens there. Otherwise a negative errno with *problem said. Waits for up to ten seconds. Nothing may be read
 * from the queues before takeover_confirm().
 */
int takeover_ask(struct inherited *ret, const char *socket_path, struct problem *problem);

/*
 * All of it is ours from now on, and the connection is closed. 0; or a negative errno with *problem said: the other one has
 * not waited, and goes on. Waits for memory, for a second at most.
 */
int takeover_confirm(struct inherited *inherited, struct problem *problem);

/* Leaves all that lingers to the other one, who goes on. Closes the connection to it, and our queues. */
void takeover_decline(struct inherited *inherited);

/*
 * The other side: sends it all to who has asked; our own descriptors stay the caller's. 0 and what takeover_confirmed()
 * is to be given, or a negative errno with nothing given away. Does not block.
 */
int takeover_answer(int asker, const struct inherited *legacy, int *ret_confirmation);

/* Waits for who has asked to confirm, for up to ten seconds, and closes the descriptor. If not, it cannot do so any more. */
bool takeover_confirmed(int confirmation);

#endif
