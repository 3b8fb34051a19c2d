/* SPDX-License-Identifier: MIT */
/*
 * Which descriptors are connections that this process accepted and that nobody else may still use.
 *
 * A connection may be handed off only by its last holder: a handoff half-closes the socket, for all
 * who have it. What shares a connection is therefore noted here:
 *
 *	fork()		processes are counted (holders.h), the last close() tells
 *	dup(), SCM_RIGHTS, posix_spawn(), _Fork()
 *			not followed; the connection is left alone for good
 *	system(), popen()
 *			likewise, if the descriptor is open across exec()
 *	vfork()		the child runs in our memory, under a pid of its own: its close() is not
 *			ours, but what it dup()s is left alone, and so is what it takes along into
 *			exec()
 *
 * Children of clone() are not seen. They themselves hand off nothing: they are not the process that
 * accepted, nor one that fork() made.
 *
 * close() takes a descriptor out of epoll sets only when it was the socket's last one, and after a
 * handoff the daemon has another. So what is in an epoll set is left alone, too. The sets are
 * counted, not known: one that was closed counts on, and fork() makes each count twice, since both
 * sides can take it out. The counts of all holders together are never less than the sets.
 *
 * A holder that ends without close(), by exit() or exec(), never lowers the count: such connections
 * are closed as without us. So are those of a fork() that failed inside of libc (daemon(),
 * forkpty()). An entry belongs to a socket, not to a number: one whose descriptor was
 * closed behind our back (close_range(), fclose(), dup2() onto it) fits no other socket.
 *
 * Every call is safe in threads and in signal handlers, and none changes errno.
 */
#ifndef PRELOAD_CONNECTIONS_H
#define PRELOAD_CONNECTIONS_H

#include <stdbool.h>
#include <stdint.h>

/* Before the first connections_add(), once. */
void connections_start(void);

/*
 * The handlers of fork(): before it, and in the child. The first one's result names this fork() to
 * connections_fork_failed(): there is no child, and what was counted for it is taken back.
 */
uint32_t connections_before_fork(void);
void connections_after_fork(void);
void connections_fork_failed(uint32_t fork_number);

/* fd was accepted just now. Takes note if it is a TCP connection. */
void connections_add(int fd);

/* fd gets another holder that cannot be followed. */
void connections_leave_alone(int fd);
void connections_leave_all_alone(void);
/* A child gets all that are not close-on-exec, and no other. */
void connections_leave_inherited_alone(void);
/* This may be a child of vfork(): then what it takes along has another holder. */
void connections_before_exec(void);

/* fd goes into an epoll set; it was taken out of one, or did not get in. */
void connections_watch(int fd);
void connections_unwatch(int fd);

/* fd is about to be closed. True: this was the last holder of a connection that may be handed off.
 */
bool connections_remove(int fd);

#endif
