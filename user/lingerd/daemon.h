/* SPDX-License-Identifier: MIT */
/*
 * The daemon as a whole: puts listener, intake and engine around one epoll set, and runs them.
 *
 *	daemon_open -> daemon_run:  running --SIGTERM, SIGINT--> stopping --> ended
 *
 * running	sleeps until an event or the first deadline; without lingers there is no timer.
 * stopping	the socket file is gone and connects are refused, so that senders close for
 *		themselves; what had been sent is still taken; what is open lingers on. Ends when
 *		nothing is left, after GRACE, or at a second signal: then the rest is cut, and
 *		counted as ended_shutdown.
 *
 * Under load the loop rests for a millisecond or some between its rounds, as a network card coalesces
 * interrupts: to be woken for each handoff would cost the sender more than the handoff itself.
 */
#ifndef LINGERD_DAEMON_H
#define LINGERD_DAEMON_H

#include "lingerd/options.h"

struct daemon;

/*
 * Binds the socket and makes all that is needed. Blocks SIGTERM, SIGINT and SIGHUP, which
 * daemon_run() receives, and ignores SIGPIPE. options must outlive the daemon: SIGHUP reads the
 * file that they name. 0, or a negative errno with *problem said and nothing left behind.
 */
int daemon_open(struct daemon **ret, const struct options *options, struct problem *problem);

/* Runs until a signal ends it. 0, or the negative errno of a failed epoll_wait(2). */
int daemon_run(struct daemon *daemon);

/* Ends what is left, removes the socket and says the last line. NULL is allowed. */
void daemon_close(struct daemon *daemon);

#endif
