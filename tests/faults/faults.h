/* SPDX-License-Identifier: MIT */
/*
 * Faults for a program that runs with faults.so preloaded: what fails, and when, stands in a file that the test and the
 * program both have mapped (environment variable FAULTS), so that it can be changed while the program runs.
 */
#ifndef TEST_FAULTS_H
#define TEST_FAULTS_H

#include <stdatomic.h>

/* The calls that can fail. */
#define FAULT_CALLS(X)                                                                             \
	X(accept4)                                                                                 \
	X(bind)                                                                                    \
	X(calloc)                                                                                  \
	X(close)                                                                                   \
	X(connect)                                                                                 \
	X(epoll_create1)                                                                           \
	X(epoll_ctl)                                                                               \
	X(epoll_wait)                                                                              \
	X(eventfd)                                                                                 \
	X(fcntl)                                                                                   \
	X(flock)                                                                                   \
	X(getpeername)                                                                             \
	X(getsockname)                                                                             \
	X(getsockopt)                                                                              \
	X(ioctl)                                                                                   \
	X(io_uring_get_events)                                                                     \
	X(io_uring_submit_and_get_events)                                                          \
	X(io_uring_submit_and_wait)                                                                \
	X(listen)                                                                                  \
	X(lstat)                                                                                   \
	X(nanosleep)                                                                               \
	X(open)                                                                                    \
	X(poll)                                                                                    \
	X(read)                                                                                    \
	X(recv)                                                                                    \
	X(recvmmsg)                                                                                \
	X(recvmsg)                                                                                 \
	X(send)                                                                                    \
	X(sendmsg)                                                                                 \
	X(setsockopt)                                                                              \
	X(shutdown)                                                                                \
	X(signalfd)                                                                                \
	X(socket)                                                                                  \
	X(socketpair)                                                                              \
	X(unlink)                                                                                  \
	X(write)

enum fault_call {
	FAULT_ANY,
#define FAULT_ENUM(name) FAULT_##name,
	FAULT_CALLS(FAULT_ENUM)
#undef FAULT_ENUM
};

/* Instead of an error: less is read than was asked for, as little as one byte. */
enum { FAULT_SHORT = -1 };

struct faults {
	atomic_int call;  /* enum fault_call; which of them */
	atomic_int error; /* errno, or FAULT_SHORT */
	atomic_int every; /* each n-th; 0: none */
	atomic_int at;	  /* the n-th, and no other; 0: none */
	atomic_int seen;  /* of these calls, since the test set it to 0 */
	atomic_int injected;
	atomic_int last; /* enum fault_call: the last that failed */
	/* A close() of a number that is not open, injected or not: it has been closed before. */
	atomic_int closed_twice;
};

#endif
