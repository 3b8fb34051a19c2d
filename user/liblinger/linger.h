/* SPDX-License-Identifier: MIT */
/*
 * liblinger: hands a TCP connection that is to be closed to lingerd, which lingers it: it reads and
 * discards until the peer's FIN or a deadline, then closes. The caller is free at once.
 *
 *	struct linger_client *client;
 *
 *	if (linger_client_open(&client, LINGER_DEFAULT_SOCKET) < 0)
 *		...
 *	if (linger_handoff(client, fd) < 0)
 *		linger_as_before(fd);
 *	close(fd);
 *
 * A client may be used by several threads at once, and after fork() by parent and child alike: each
 * process makes a connection of its own. No call installs signal handlers or raises SIGPIPE, or is a
 * cancellation point. A signal handler that interrupts a call may neither make one, nor fork(), nor leave by
 * siglongjmp().
 *
 * A server that closes all descriptors it does not know may close the client's, too: the next
 * handoff makes another. Whoever has the number by then is left alone: the socket behind it is
 * known by its cookie (SO_COOKIE, socket(7)), and where the kernel does not tell that, each handoff
 * connects anew and keeps nothing. That does not help against a thread which closes it and opens
 * something else in the middle of a handoff.
 */
#ifndef LINGER_H
#define LINGER_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LINGER_DEFAULT_SOCKET "/run/lingerd/lingerd.sock"

#if defined(__GNUC__)
#define LINGER_MUST_CHECK __attribute__((warn_unused_result))
#define LINGER_PUBLIC	  __attribute__((visibility("default")))
#else
#define LINGER_MUST_CHECK
#define LINGER_PUBLIC
#endif

struct linger_client;

/*
 * Makes a client for the daemon that listens, or will listen, on socket_path. The daemon need not
 * be there: the connection is made at the first handoff, and made anew after the daemon restarted.
 *
 * Blocks: no. Owns: *ret is the caller's until linger_client_close(); socket_path is copied.
 * Returns 0, or a negative errno with *ret untouched:
 *	-EINVAL		an argument is NULL, or socket_path is empty
 *	-ENAMETOOLONG	socket_path has more than 107 bytes (unix(7))
 *	-ENOMEM
 */
LINGER_PUBLIC LINGER_MUST_CHECK int linger_client_open(struct linger_client **ret,
						       const char *socket_path);

/* How a client is to be. Start from LINGER_CLIENT_OPTIONS_INIT, as with struct linger_options. */
struct linger_client_options {
	size_t size; /* sizeof(struct linger_client_options) as the caller knows it */
	/*
	 * How many threads hand over through it; 0: one. The queue to the daemon has room for some
	 * 40 handoffs of each of them, of 64 at most, as far as net.core.wmem_max allows: what does
	 * not fit is -EAGAIN, and what fits waits with a daemon that hangs.
	 */
	unsigned int threads;
	/*
	 * 1: handoffs leave the half-close to the daemon. One that drains in the kernel needs that, since the
	 * kernel takes only connections which neither side has closed (lingerd-drain(8)). The price: as long as
	 * a daemon hangs, the peers of what it has been given see no EOF.
	 */
	unsigned int daemon_half_closes;
};

#define LINGER_CLIENT_OPTIONS_INIT                                                                 \
	{                                                                                          \
		sizeof(struct linger_client_options), 0, 0                                         \
	}

/*
 * linger_client_open() with options; NULL: none. In addition
 *	-EINVAL	options->size is less than that of the first version of the structure
 *	-E2BIG	it is larger than the library knows, and what it does not know is not all 0
 * The options are read during the call only.
 */
LINGER_PUBLIC LINGER_MUST_CHECK int
linger_client_open_with(struct linger_client **ret, const char *socket_path,
			const struct linger_client_options *options);

/*
 * Half-closes fd (shutdown(2) with SHUT_WR, so that the peer sees EOF even if the daemon hangs; unless the client
 * was opened with daemon_half_closes) and passes it to the daemon. Everything the peer is to get must have been written to fd; TLS must have
 * sent its close_notify. fd must be in no epoll set by then, of this process or another one:
 * close() takes it out only with the socket's last descriptor, which is the daemon's now. What it
 * is still in would report events of it until the daemon is done, and nobody could take it out.
 *
 * Blocks: never. The daemon's answer is not waited for; there is none.
 * Owns: fd stays the caller's descriptor in every case, and the caller closes it.
 *
 * 0: the daemon owns the connection, too. The caller calls close(fd) and does nothing else to it:
 * no read, no shutdown(), no SO_LINGER (they act on the socket, which both now share).
 *
 * Negative errno: nothing was given away. The caller closes the connection as it would have without
 * lingerd. The half-close may have happened; shutdown() may be called again.
 *	-EAGAIN		the daemon takes nothing now: full, hung, or too many connections are on
 *			their way to it
 *	-ENOENT, -ECONNREFUSED, -EACCES, ...	connect(2): no daemon there, or not for this user
 *	-ENOTCONN	the peer has reset the connection, or fd was never connected
 *	-EBADF, -ENOTSOCK	fd is not a socket
 *			(the last two are shutdown()'s: with daemon_half_closes the daemon finds it, and
 *			counts it as refused, as it does a socket that is not TCP in any case)
 *	-ETOOMANYREFS	more fds on the way than RLIMIT_NOFILE allows this user (unix(7))
 *	other errors of socket(2), connect(2), shutdown(2), sendmsg(2)
 * After a failed connect, handoffs fail with that same error, without a system call, for 10 ms; for
 * 10 s with -EACCES when it was the daemon that turned this process away (its allow-users). What was
 * handed over before that was known is the daemon's, and lingered as long as it is not much.
 */
LINGER_PUBLIC LINGER_MUST_CHECK int linger_handoff(struct linger_client *client, int fd);

/*
 * How one connection is to be lingered. Start from LINGER_OPTIONS_INIT, so that fields that later
 * versions append are 0.
 */
struct linger_options {
	size_t size; /* sizeof(struct linger_options) as the caller knows it */
	/*
	 * Milliseconds; 0: as the daemon is configured, which is also the most that it gives. A
	 * daemon from before these options lingers the connection and does not know them.
	 */
	unsigned int idle_timeout_ms;  /* without a sign of life from the peer */
	unsigned int total_timeout_ms; /* in any case */
};

#define LINGER_OPTIONS_INIT                                                                        \
	{                                                                                          \
		sizeof(struct linger_options), 0, 0                                                \
	}

/*
 * linger_handoff() with options; NULL: none. In addition
 *	-EINVAL	options->size is less than that of the first version of the structure
 *	-E2BIG	it is larger than the library knows, and what it does not know is not all 0
 * and then nothing was done to the connection. The options are read during the call only.
 */
LINGER_PUBLIC LINGER_MUST_CHECK int linger_handoff_with(struct linger_client *client, int fd,
							const struct linger_options *options);

/*
 * Closes the connection to the daemon and frees the client; NULL is allowed. Connections already
 * handed off are not affected. No other thread may be inside a call with this client.
 */
LINGER_PUBLIC void linger_client_close(struct linger_client *client);

#ifdef __cplusplus
}
#endif

#endif
