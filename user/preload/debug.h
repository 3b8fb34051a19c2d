/* SPDX-License-Identifier: MIT */
/*
 * LINGER_PRELOAD_DEBUG=1: says on stderr what becomes of the server's connections, for people who
 * wonder why lingerd gets none. A line when the library is loaded, and one at the first time of each
 * thing below, in each process; never one for each connection.
 *
 * A server may have closed its stderr, and the number is a connection's or a file's by now: so
 * nothing is written but to the very file that it was when the library was loaded, and nothing is
 * waited for.
 *
 * Every call is safe in threads and in signal handlers, and none changes errno.
 */
#ifndef PRELOAD_DEBUG_H
#define PRELOAD_DEBUG_H

#define DEBUG_EVENTS(EVENT)                                                                        \
	EVENT(ACCEPTED, "sees the first TCP connection that the server accepts")                   \
	EVENT(NOT_TCP, "leaves a connection alone: it is not TCP")                                 \
	EVENT(HIGH_NUMBER, "leaves a connection alone: the number of its descriptor is too high")  \
	EVENT(SO_LINGER, "leaves a connection alone: the server has set SO_LINGER on it")          \
	EVENT(WATCHED, "leaves a connection alone: it is in an epoll set, or was in a closed one") \
	EVENT(SHARED, "leaves a connection alone: it was shared by dup(), SCM_RIGHTS or a child "  \
		      "that is not followed")                                                      \
	EVENT(HELD, "leaves a connection to another process that still holds it, or held it "      \
		    "until its own end")                                                           \
	EVENT(HANDED_OVER, "has handed the first connection over")

#define DEBUG_NAME(name, text) DEBUG_##name,
enum debug_event { DEBUG_EVENTS(DEBUG_NAME) DEBUG_EVENTS_END };
#undef DEBUG_NAME

/* Once, when the library is loaded. socket_path: NULL if there is none. error: a negative errno when
 * it cannot be used, or 0. */
void debug_start(const char *socket_path, int error);

void debug_tell(enum debug_event event);

/* A handoff failed, with this negative errno. Each of them is told once. */
void debug_tell_failure(int error);

#endif
