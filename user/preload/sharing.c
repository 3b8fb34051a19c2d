/* SPDX-License-Identifier: MIT */
/* The calls that give a connection one more holder who cannot be followed. */
#include "preload/connections.h"
#include "preload/next.h"

#include <stdarg.h>
#include <string.h>

PUBLIC int dup(int fd)
{
	connections_leave_alone(fd);
	return next()->dup(fd);
}

PUBLIC int dup2(int fd, int new_fd)
{
	connections_leave_alone(fd);
	return next()->dup2(fd, new_fd);
}

PUBLIC int dup3(int fd, int new_fd, int flags)
{
	connections_leave_alone(fd);
	return next()->dup3(fd, new_fd, flags);
}

static void note_fcntl(int fd, int command)
{
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
	return next()->fcntl(fd, command, argument);
}

PUBLIC int fcntl64(int fd, int command, ...)
{
	va_list arguments;
	void *argument;

	va_start(arguments, command);
	argument = va_arg(arguments, void *);
	va_end(arguments);
	note_fcntl(fd, command);
	return next()->fcntl64(fd, command, argument);
}

/* A process that is sent a connection holds it, too. (A handoff itself is noted nowhere any more.) */
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
	if (message)
		note_sent(message);
	return next()->sendmsg(fd, message, flags);
}

PUBLIC int sendmmsg(int fd, struct mmsghdr *messages, unsigned int count, int flags)
{
	for (unsigned int i = 0; messages && i < count; i++)
		note_sent(&messages[i].msg_hdr);
	return next()->sendmmsg(fd, messages, count, flags);
}

/* The child may get any of them as its standard input and output; libc does that by itself. */
PUBLIC int posix_spawn(pid_t *restrict pid, const char *restrict path,
		       const posix_spawn_file_actions_t *restrict actions,
		       const posix_spawnattr_t *restrict attributes, char *const argv[restrict],
		       char *const environment[restrict])
{
	connections_leave_all_alone();
	return next()->posix_spawn(pid, path, actions, attributes, argv, environment);
}

PUBLIC int posix_spawnp(pid_t *restrict pid, const char *restrict file,
			const posix_spawn_file_actions_t *restrict actions,
			const posix_spawnattr_t *restrict attributes, char *const argv[restrict],
			char *const environment[restrict])
{
	connections_leave_all_alone();
	return next()->posix_spawnp(pid, file, actions, attributes, argv, environment);
}

/* These are posix_spawn() as well, but libc calls its own. */
PUBLIC int system(const char *command)
{
	connections_leave_inherited_alone();
	return next()->system(command);
}

PUBLIC FILE *popen(const char *command, const char *modes)
{
	connections_leave_inherited_alone();
	return next()->popen(command, modes);
}

/* fork() without the handlers that would count its child. */
PUBLIC pid_t _Fork(void)
{
	connections_leave_all_alone();
	return next()->_Fork();
}
