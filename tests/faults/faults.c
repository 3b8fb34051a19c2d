/* SPDX-License-Identifier: MIT */
/* See faults.h. What fails does nothing, but for close(): on Linux the descriptor is gone whatever it says. */
#include "tests/faults/faults.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <link.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

static struct faults *faults;

__attribute__((constructor)) static void map_faults(void)
{
	const char *path = getenv("FAULTS");
	int fd = path ? (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC) : -1;
	void *map = MAP_FAILED;

	if (fd >= 0) {
		map = mmap(NULL, sizeof(*faults), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		syscall(SYS_close, fd);
	}
	if (map != MAP_FAILED)
		faults = map;
	unsetenv("FAULTS");
	unsetenv("LD_PRELOAD"); /* of this program alone */
}

/* Whether any call, not a chosen one, can say this. */
static bool can_say(enum fault_call call, int error)
{
	static const enum fault_call make_descriptors[] = {
		FAULT_accept4, FAULT_socket,	    FAULT_socketpair, FAULT_open,
		FAULT_fcntl,   FAULT_epoll_create1, FAULT_signalfd,   FAULT_eventfd,
	};
	static const enum fault_call touch_files[] = {
		FAULT_open, FAULT_read, FAULT_write, FAULT_close, FAULT_lstat, FAULT_unlink,
	};
	const enum fault_call *calls = error == EIO ? touch_files : make_descriptors;
	size_t count = error == EIO ? sizeof(touch_files) / sizeof(touch_files[0])
				    : sizeof(make_descriptors) / sizeof(make_descriptors[0]);

	for (size_t i = 0; i < count; i++)
		if (calls[i] == call)
			return true;
	return error != EIO && error != EMFILE;
}

/* The errno, FAULT_SHORT, or 0: it does not fail. */
static int fault_of(enum fault_call call)
{
	int seen;

	if (!faults)
		return 0;
	if (faults->call == FAULT_ANY ? !can_say(call, faults->error) : faults->call != (int)call)
		return 0;
	seen = ++faults->seen;
	if ((!faults->every || seen % faults->every) && seen != faults->at)
		return 0;
	faults->injected++;
	faults->last = (int)call;
	return faults->error;
}

/* For calls that are never short. */
static bool fails(enum fault_call call)
{
	int error = fault_of(call);

	if (error > 0)
		errno = error;
	return error > 0;
}

#define NEXT(name) ((__typeof__(&name))next(#name))

static void *next(const char *name)
{
	return dlsym(RTLD_NEXT, name);
}

#define INTERPOSE(type, name, parameters, arguments)                                               \
	EXPORT type name parameters;                                                               \
	EXPORT type name parameters                                                                \
	{                                                                                          \
		if (fails(FAULT_##name))                                                           \
			return -1;                                                                 \
		return NEXT(name) arguments;                                                       \
	}

INTERPOSE(int, accept4, (int fd, struct sockaddr *address, socklen_t *length, int flags),
	  (fd, address, length, flags))
INTERPOSE(int, bind, (int fd, const struct sockaddr *address, socklen_t length),
	  (fd, address, length))
INTERPOSE(int, connect, (int fd, const struct sockaddr *address, socklen_t length),
	  (fd, address, length))
INTERPOSE(int, epoll_create1, (int flags), (flags))
INTERPOSE(int, epoll_wait, (int epoll, struct epoll_event *events, int most, int timeout),
	  (epoll, events, most, timeout))
INTERPOSE(int, eventfd, (unsigned int initial, int flags), (initial, flags))
INTERPOSE(int, flock, (int fd, int operation), (fd, operation))
INTERPOSE(int, getpeername, (int fd, struct sockaddr *address, socklen_t *length),
	  (fd, address, length))
INTERPOSE(int, getsockname, (int fd, struct sockaddr *address, socklen_t *length),
	  (fd, address, length))
INTERPOSE(int, getsockopt, (int fd, int level, int option, void *value, socklen_t *length),
	  (fd, level, option, value, length))
INTERPOSE(int, listen, (int fd, int backlog), (fd, backlog))
INTERPOSE(int, lstat, (const char *path, struct stat *ret), (path, ret))
INTERPOSE(int, nanosleep, (const struct timespec *wanted, struct timespec *left), (wanted, left))
INTERPOSE(int, poll, (struct pollfd * fds, nfds_t count, int timeout), (fds, count, timeout))
INTERPOSE(ssize_t, send, (int fd, const void *bytes, size_t length, int flags),
	  (fd, bytes, length, flags))
INTERPOSE(ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags), (fd, message, flags))
INTERPOSE(int, setsockopt, (int fd, int level, int option, const void *value, socklen_t length),
	  (fd, level, option, value, length))
INTERPOSE(int, shutdown, (int fd, int how), (fd, how))
INTERPOSE(int, signalfd, (int fd, const sigset_t *mask, int flags), (fd, mask, flags))
INTERPOSE(int, socket, (int family, int type, int protocol), (family, type, protocol))
INTERPOSE(int, socketpair, (int family, int type, int protocol, int ends[2]),
	  (family, type, protocol, ends))
INTERPOSE(int, unlink, (const char *path), (path))
INTERPOSE(ssize_t, write, (int fd, const void *bytes, size_t length), (fd, bytes, length))

/* Those of liburing say the error. */
#define INTERPOSE_RING(name, parameters, arguments)                                                \
	EXPORT int name parameters;                                                                \
	EXPORT int name parameters                                                                 \
	{                                                                                          \
		int error = fault_of(FAULT_##name);                                                \
                                                                                                   \
		return error > 0 ? -error : NEXT(name) arguments;                                  \
	}

INTERPOSE_RING(io_uring_get_events, (struct io_uring * ring), (ring))
INTERPOSE_RING(io_uring_submit_and_get_events, (struct io_uring * ring), (ring))
INTERPOSE_RING(io_uring_submit_and_wait, (struct io_uring * ring, unsigned int ends), (ring, ends))

/* What it removes has been there, and an error would be of the caller's making. */
EXPORT int epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event)
{
	if (operation != EPOLL_CTL_DEL && fails(FAULT_epoll_ctl))
		return -1;
	return NEXT(epoll_ctl)(epoll, operation, fd, event);
}

EXPORT int close(int fd)
{
	int result = NEXT(close)(fd);

	if (result && errno == EBADF && faults)
		faults->closed_twice++;
	return fails(FAULT_close) ? -1 : result;
}

EXPORT int fcntl(int fd, int command, ...)
{
	va_list arguments;
	void *argument;

	va_start(arguments, command);
	argument = va_arg(arguments, void *);
	va_end(arguments);
	return fails(FAULT_fcntl) ? -1 : NEXT(fcntl)(fd, command, argument);
}

EXPORT int ioctl(int fd, unsigned long request, ...)
{
	va_list arguments;
	void *argument;

	va_start(arguments, request);
	argument = va_arg(arguments, void *);
	va_end(arguments);
	return fails(FAULT_ioctl) ? -1 : (int)syscall(SYS_ioctl, fd, request, argument);
}

EXPORT int open(const char *path, int flags, ...)
{
	va_list arguments;
	mode_t mode;

	va_start(arguments, flags);
	mode = flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
	va_end(arguments);
	return fails(FAULT_open) ? -1 : NEXT(open)(path, flags, mode);
}

EXPORT ssize_t read(int fd, void *bytes, size_t length)
{
	int fault = fault_of(FAULT_read);

	if (fault > 0) {
		errno = fault;
		return -1;
	}
	return NEXT(read)(fd, bytes, fault && length ? 1 : length);
}

EXPORT ssize_t recv(int fd, void *bytes, size_t length, int flags)
{
	int fault = fault_of(FAULT_recv);

	if (fault > 0) {
		errno = fault;
		return -1;
	}
	return NEXT(recv)(fd, bytes, fault && length ? 1 : length, flags);
}

EXPORT ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
	int fault = fault_of(FAULT_recvmsg);
	struct iovec one;
	struct msghdr part;
	ssize_t length;

	if (fault > 0) {
		errno = fault;
		return -1;
	}
	if (!fault || message->msg_iovlen != 1)
		return NEXT(recvmsg)(fd, message, flags);
	one = (struct iovec){ message->msg_iov->iov_base, 1 };
	part = *message;
	part.msg_iov = &one;
	length = NEXT(recvmsg)(fd, &part, flags);
	message->msg_flags = part.msg_flags;
	message->msg_controllen = part.msg_controllen;
	return length;
}

/* One message, and little of it: the rest of the batch waits. */
static int receive_short(int fd, struct mmsghdr *messages, int flags)
{
	struct iovec *whole = messages->msg_hdr.msg_iov, one = { whole->iov_base, 1 };
	int count;

	messages->msg_hdr.msg_iov = &one;
	count = NEXT(recvmmsg)(fd, messages, 1, flags, NULL);
	messages->msg_hdr.msg_iov = whole;
	return count;
}

EXPORT int recvmmsg(int fd, struct mmsghdr *messages, unsigned int count, int flags,
		    struct timespec *timeout)
{
	int fault = fault_of(FAULT_recvmmsg);

	if (fault > 0) {
		errno = fault;
		return -1;
	}
	if (!fault || !count)
		return NEXT(recvmmsg)(fd, messages, count, flags, timeout);
	return receive_short(fd, messages, flags);
}

extern void *__libc_calloc(size_t count, size_t size);
static uintptr_t program; /* where it is loaded */

/* The first in the list of what is loaded is the program. */
static int note_program(struct dl_phdr_info *info, size_t size, void *context)
{
	(void)size;
	(void)context;
	program = (uintptr_t)info->dlpi_addr;
	return 1;
}

/* Libraries allocate by the hundred, and have tests of their own. */
static bool is_of_program(const void *caller)
{
	Dl_info of;

	if (!program)
		dl_iterate_phdr(note_program, NULL);
	return dladdr(caller, &of) && (uintptr_t)of.dli_fbase == program;
}

EXPORT void *calloc(size_t count, size_t size)
{
	if (faults && is_of_program(__builtin_return_address(0)) && fails(FAULT_calloc))
		return NULL;
	return __libc_calloc(count, size);
}
