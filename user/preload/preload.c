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
 */
#include "preload/connections.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "liblinger/linger.h"

#define PUBLIC __attribute__((visibility("default")))

/* The functions behind ours: libc's, or those of the next library that was preloaded. */
static struct {
	__typeof__(close) *close;
	__typeof__(accept) *accept;
	__typeof__(accept4) *accept4;
	__typeof__(dup) *dup;
	__typeof__(dup2) *dup2;
	__typeof__(dup3) *dup3;
	__typeof__(fcntl) *fcntl;
	__typeof__(fcntl64) *fcntl64;
	__typeof__(sendmsg) *sendmsg;
	__typeof__(sendmmsg) *sendmmsg;
	__typeof__(posix_spawn) *posix_spawn;
	__typeof__(posix_spawnp) *posix_spawnp;
} next;

static char socket_path[sizeof(((struct sockaddr_un *)NULL)->sun_path) + 1];
static pthread_once_t client_once = PTHREAD_ONCE_INIT;
static struct linger_client *client;

/* This thread is in liblinger: what it closes and sends is its own, as is the lock that it holds.
 */
static __thread volatile bool inside __attribute__((tls_model("initial-exec")));

static void find(void *ret_function, const char *name)
{
	void *function = dlsym(RTLD_NEXT, name);

	memcpy(ret_function, &function, sizeof(function));
}

/*
 * The environment is read here, since servers write over it later. Their libraries may call us
 * before this ran; so everything below asks for it.
 */
__attribute__((constructor)) static void prepare(void)
{
	const char *path;

	if (next.close)
		return;
	path = secure_getenv("LINGER_SOCKET");
	if (path)
		strncpy(socket_path, path, sizeof(socket_path) - 1);
	find(&next.accept, "accept");
	find(&next.accept4, "accept4");
	find(&next.dup, "dup");
	find(&next.dup2, "dup2");
	find(&next.dup3, "dup3");
	find(&next.fcntl, "fcntl");
	find(&next.fcntl64, "fcntl64");
	find(&next.sendmsg, "sendmsg");
	find(&next.sendmmsg, "sendmmsg");
	find(&next.posix_spawn, "posix_spawn");
	find(&next.posix_spawnp, "posix_spawnp");
	find(&next.close, "close"); /* last: it says that all are there */
}

static void open_client(void)
{
	if (!connections_prepare() && linger_client_open(&client, socket_path))
		client = NULL;
}

static int note_accepted(int fd)
{
	int error = errno;

	if (fd < 0 || !socket_path[0])
		return fd;
	pthread_once(&client_once, open_client);
	if (client)
		connections_add(fd);
	errno = error;
	return fd;
}

static bool server_set_linger(int fd)
{
	struct linger linger;
	socklen_t length = sizeof(linger);

	return getsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, &length) || linger.l_onoff;
}

/* Whether it succeeds or not, the caller closes fd next. */
static void try_handoff(int fd)
{
	int error = errno;
	int cancel_state, ignored;

	if (!server_set_linger(fd)) {
		pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
		inside = true;
		ignored = linger_handoff(client, fd);
		(void)ignored;
		inside = false;
		pthread_setcancelstate(cancel_state, NULL);
	}
	errno = error;
}

PUBLIC int close(int fd)
{
	prepare();
	if (!inside && connections_remove(fd))
		try_handoff(fd);
	return next.close(fd);
}

PUBLIC int accept(int fd, __SOCKADDR_ARG address, socklen_t *restrict length)
{
	prepare();
	return note_accepted(next.accept(fd, address, length));
}

PUBLIC int accept4(int fd, __SOCKADDR_ARG address, socklen_t *restrict length, int flags)
{
	prepare();
	return note_accepted(next.accept4(fd, address, length, flags));
}

PUBLIC int dup(int fd)
{
	prepare();
	connections_leave_alone(fd);
	return next.dup(fd);
}

PUBLIC int dup2(int fd, int new_fd)
{
	prepare();
	connections_leave_alone(fd);
	return next.dup2(fd, new_fd);
}

PUBLIC int dup3(int fd, int new_fd, int flags)
{
	prepare();
	connections_leave_alone(fd);
	return next.dup3(fd, new_fd, flags);
}

static void note_fcntl(int fd, int command)
{
	prepare();
	if (command == F_DUPFD || command == F_DUPFD_CLOEXEC)
		connections_leave_alone(fd);
}

/* The third argument, where there is one, is an int or a pointer: both travel as a pointer does. */
PUBLIC int fcntl(int fd, int command, ...)
{
	va_list arguments;
	void *argument;

	va_start(arguments, command);
	argument = va_arg(arguments, void *);
	va_end(arguments);
	note_fcntl(fd, command);
	return next.fcntl(fd, command, argument);
}

PUBLIC int fcntl64(int fd, int command, ...)
{
	va_list arguments;
	void *argument;

	va_start(arguments, command);
	argument = va_arg(arguments, void *);
	va_end(arguments);
	note_fcntl(fd, command);
	return next.fcntl64(fd, command, argument);
}

/* A process that is sent a connection holds it, too. */
static void note_sent(const struct msghdr *message)
{
	struct msghdr copy = *message;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(&copy); c; c = CMSG_NXTHDR(&copy, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t at = CMSG_LEN(0); at + sizeof(int) <= c->cmsg_len; at += sizeof(int)) {
			int fd;

			memcpy(&fd, (char *)c + at, sizeof(fd));
			connections_leave_alone(fd);
		}
	}
}

PUBLIC ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	prepare();
	if (!inside && message)
		note_sent(message);
	return next.sendmsg(fd, message, flags);
}

PUBLIC int sendmmsg(int fd, struct mmsghdr *messages, unsigned int count, int flags)
{
	prepare();
	for (unsigned int i = 0; !inside && messages && i < count; i++)
		note_sent(&messages[i].msg_hdr);
	return next.sendmmsg(fd, messages, count, flags);
}

/* The child may get any of them as its standard input and output; libc does that by itself. */
PUBLIC int posix_spawn(pid_t *restrict pid, const char *restrict path,
		       const posix_spawn_file_actions_t *restrict actions,
		       const posix_spawnattr_t *restrict attributes, char *const argv[restrict],
		       char *const environment[restrict])
{
	prepare();
	connections_leave_all_alone();
	return next.posix_spawn(pid, path, actions, attributes, argv, environment);
}

PUBLIC int posix_spawnp(pid_t *restrict pid, const char *restrict file,
			const posix_spawn_file_actions_t *restrict actions,
			const posix_spawnattr_t *restrict attributes, char *const argv[restrict],
			char *const environment[restrict])
{
	prepare();
	connections_leave_all_alone();
	return next.posix_spawnp(pid, file, actions, attributes, argv, environment);
}
