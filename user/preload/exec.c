/* SPDX-License-Identifier: MIT */
/*
 * exec(), as the children of vfork() call it: they take connections along that nobody has counted.
 * vfork() itself is not taken over: it returns twice, and the second time our frame would be gone.
 */
#include "preload/connections.h"
#include "preload/next.h"

#include <stdarg.h>

PUBLIC int execve(const char *path, char *const argv[], char *const environment[])
{
	connections_before_exec();
	return next()->execve(path, argv, environment);
}

PUBLIC int execv(const char *path, char *const argv[])
{
	connections_before_exec();
	return next()->execv(path, argv);
}

PUBLIC int execvp(const char *file, char *const argv[])
{
	connections_before_exec();
	return next()->execvp(file, argv);
}

PUBLIC int execvpe(const char *file, char *const argv[], char *const environment[])
{
	connections_before_exec();
	return next()->execvpe(file, argv, environment);
}

PUBLIC int fexecve(int fd, char *const argv[], char *const environment[])
{
	connections_before_exec();
	return next()->fexecve(fd, argv, environment);
}

PUBLIC int execveat(int fd, const char *path, char *const argv[], char *const environment[],
		    int flags)
{
	connections_before_exec();
	return next()->execveat(fd, path, argv, environment, flags);
}

/*
 * Those with their arguments in a list. The list becomes an array on the stack, as in libc: a child
 * of vfork() must not allocate.
 */

/* The size of the array: all up to the NULL at the end, and that. */
static size_t list_size(const char *first, va_list rest)
{
	size_t count = 1;

	for (const char *argument = first; argument; argument = va_arg(rest, const char *))
		count++;
	return count * sizeof(char *);
}

/* Leaves rest behind the NULL. */
static void read_list(char **ret_argv, const char *first, va_list *rest)
{
	char *argument = (char *)first;

	for (; argument; argument = va_arg(*rest, char *))
		*ret_argv++ = argument;
	*ret_argv = NULL;
}

/* A macro, since the array lives as long as the function that it is made in. va_end() is the caller's. */
#define READ_LIST(argv, first, rest)                                                               \
	do {                                                                                       \
		va_start(rest, first);                                                             \
		(argv) = __builtin_alloca(list_size(first, rest));                                 \
		va_end(rest);                                                                      \
		va_start(rest, first);                                                             \
		read_list(argv, first, &(rest));                                                   \
	} while (0)

PUBLIC int execl(const char *path, const char *first, ...)
{
	va_list rest;
	char **argv;

	READ_LIST(argv, first, rest);
	va_end(rest);
	return execv(path, argv);
}

PUBLIC int execlp(const char *file, const char *first, ...)
{
	va_list rest;
	char **argv;

	READ_LIST(argv, first, rest);
	va_end(rest);
	return execvp(file, argv);
}

PUBLIC int execle(const char *path, const char *first, ...)
{
	char *const *environment;
	va_list rest;
	char **argv;

	READ_LIST(argv, first, rest);
	environment = va_arg(rest, char *const *);
	va_end(rest);
	return execve(path, argv, environment);
}
