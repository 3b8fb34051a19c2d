/* SPDX-License-Identifier: MIT */
/*
 * liblinger-preload.so: gives the closing of a server's connections to lingerd, without a change of
 * the server.
 *
 *	LD_PRELOAD=liblinger-preload.so LINGER_SOCKET=/run/lingerd/lingerd.sock server ...
 *
 * close() of a TCP connection that came from accept() hands it off first, if this is its last
 * holder (connections.h) and the server did not set SO_LINGER on it. Whatever goes wrong with that,
 * the connection is closed as it would have been. close() itself, its result and errno, stay what
 * they are. Without LINGER_SOCKET nothing is done at all.
 *
 * Not seen, and closed as without us: programs that make the system calls themselves instead of by
 * libc (Go, statically linked ones) or through io_uring; fclose() of a connection; descriptors
 * closed by close_range() or by the end of the process.
 *
 * accept(), close() and fork() may be called in signal handlers, and those may leave by longjmp().
 * So no handler runs while liblinger's lock is held: signals wait until close() is done, and while
 * fork() is in the hands of our handlers and liblinger's.
 */
#include "preload/connections.h"
#include "preload/debug.h"
#include "preload/next.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>

#include "liblinger/linger.h"

#define THREAD_LOCAL static __thread __attribute__((tls_model("initial-exec")))

/* How many it has is not known now; what has no room in the queue would be closed without lingering. */
enum { THREADS = 64 };

static struct linger_client *client;

/* Of this thread, in fork(): it holds liblinger's locks, so what it closes is closed as ever. */
THREAD_LOCAL bool forking;
THREAD_LOCAL sigset_t mask_before_fork;
THREAD_LOCAL uint32_t fork_number;

static void block_signals(sigset_t *ret_before)
{
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, ret_before);
}

static void restore_signals(const sigset_t *before)
{
	pthread_sigmask(SIG_SETMASK, before, NULL);
}

static void before_fork(void)
{
	block_signals(&mask_before_fork);
	forking = true;
	fork_number = connections_before_fork();
}

static void after_fork_in_parent(void)
{
	forking = false;
	restore_signals(&mask_before_fork);
}

static void after_fork_in_child(void)
{
	connections_after_fork();
	after_fork_in_parent();
}

/*
 * The environment is read here, since servers write over it later; accept() cannot do it, because
 * it must not allocate. Of the handlers of fork(), ours come after liblinger's: so the first runs
 * before its locks are taken, and the others when they are free again.
 */
__attribute__((constructor)) static void prepare(void)
{
	struct linger_client_options options = LINGER_CLIENT_OPTIONS_INIT;
	const char *path = secure_getenv("LINGER_SOCKET");
	int error = 0;

	next();
	connections_start();
	options.threads = THREADS;
	if (path && !next_is_complete())
		error = -EOPNOTSUPP;
	else if (path)
		error = linger_client_open_with(&client, path, &options);
	if (client) {
		error = -pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
		if (error) {
			linger_client_close(client);
			client = NULL;
		}
	}
	debug_start(path, error);
}

/*
 * The handlers are not told whether there is a child. Signals wait here, too: a handler's own fork()
 * would leave another number.
 */
PUBLIC pid_t fork(void)
{
	sigset_t mask;
	pid_t child;

	if (!client)
		return next()->fork();
	block_signals(&mask);
	child = next()->fork();
	if (child < 0)
		connections_fork_failed(fork_number);
	restore_signals(&mask);
	return child;
}

static int note_accepted(int fd)
{
	if (fd >= 0 && client)
		connections_add(fd);
	return fd;
}

PUBLIC int accept(int fd, __SOCKADDR_ARG address, socklen_t *restrict length)
{
	return note_accepted(next()->accept(fd, address, length));
}

PUBLIC int accept4(int fd, __SOCKADDR_ARG address, socklen_t *restrict length, int flags)
{
	return note_accepted(next()->accept4(fd, address, length, flags));
}

/* With a time, close() may also wait: not with all signals blocked. */
static bool server_set_linger(int fd)
{
	struct linger linger = { 0 };
	socklen_t length = sizeof(linger);
	int error = errno;
	bool unknown = getsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, &length) != 0;

	errno = error;
	if (linger.l_onoff)
		debug_tell(DEBUG_SO_LINGER);
	return unknown || linger.l_onoff;
}

/* Closes it whether that succeeds or not. */
static int hand_off_and_close(int fd)
{
	int error = errno;
	int cancel_state, handed_off, result;
	sigset_t mask;

	block_signals(&mask);
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
	handed_off = linger_handoff(client, fd);
	errno = error;
	result = next()->close(fd);
	pthread_setcancelstate(cancel_state, NULL);
	restore_signals(&mask);
	if (handed_off < 0)
		debug_tell_failure(handed_off);
	else
		debug_tell(DEBUG_HANDED_OVER);
	return result;
}

PUBLIC int close(int fd)
{
	if (!forking && connections_remove(fd) && !server_set_linger(fd))
		return hand_off_and_close(fd);
	return next()->close(fd);
}
