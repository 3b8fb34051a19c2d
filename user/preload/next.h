/* SPDX-License-Identifier: MIT */
/*
 * The functions behind ours: libc's, or those of the next library that was preloaded.
 */
#ifndef PRELOAD_NEXT_H
#define PRELOAD_NEXT_H

#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* What is seen of the library from outside: the calls that it takes over. */
#define PUBLIC __attribute__((visibility("default")))

#define NEXT_CALLS(CALL)                                                                           \
	CALL(accept)                                                                               \
	CALL(accept4)                                                                              \
	CALL(dup)                                                                                  \
	CALL(dup2)                                                                                 \
	CALL(dup3)                                                                                 \
	CALL(fcntl)                                                                                \
	CALL(fcntl64)                                                                              \
	CALL(sendmsg)                                                                              \
	CALL(sendmmsg)                                                                             \
	CALL(posix_spawn)                                                                          \
	CALL(posix_spawnp)                                                                         \
	CALL(system)                                                                               \
	CALL(popen)                                                                                \
	CALL(fork)                                                                                 \
	CALL(_Fork)                                                                                \
	CALL(execv)                                                                                \
	CALL(execve)                                                                               \
	CALL(execvp)                                                                               \
	CALL(execvpe)                                                                              \
	CALL(execveat)                                                                             \
	CALL(fexecve)                                                                              \
	CALL(epoll_ctl)                                                                            \
	CALL(close) /* last: it says that all are there */

#define NEXT_FIELD(name) __typeof__(name) *name;
struct next_calls {
	NEXT_CALLS(NEXT_FIELD)
};
#undef NEXT_FIELD

/*
 * They are looked up when the library is loaded; other libraries may call ours before, so each of
 * ours asks here. Never NULL, and no field is, unless libc has no such function.
 */
const struct next_calls *next(void);

/*
 * Whether a server cannot call libc by names that are not ours: where a long has 32 bits, those of 64-bit time
 * (__fcntl_time64() and its like, <fcntl.h>) share connections, too.
 */
bool next_is_complete(void);

#endif
