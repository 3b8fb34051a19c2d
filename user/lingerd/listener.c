/* SPDX-License-Identifier: MIT */
#include "lingerd/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static const char *way_out(int error)
{
	switch (error) {
	case -ENOENT:
		return "; make the directory, or choose another path with --socket";
	case -EACCES:
	case -EPERM:
		return "; the folder must be one that lingerd's user may write to: make it that "
		       "user's, "
		       "run as another, or choose another path with --socket";
	case -EROFS:
		return "; choose a path on a file system that can be written with --socket";
	default:
		return "";
	}
}

static int say_errno(struct problem *problem, const char *what, const char *path, int error)
{
	problem_say(problem, "cannot %s %s: %s%s", what, path, strerror(-error), way_out(error));
	return error;
}

static int say_busy(struct problem *problem, const char *path)
{
	problem_say(problem,
		    "another process listens on %s; end it first, or choose another path "
		    "with --socket",
		    path);
	return -EADDRINUSE;
}

/* Whether the file that we hold open is still the one at this path. */
static bool still_there(int fd, const char *path)
{
	struct stat held, there;

	return !fstat(fd, &held) && !lstat(path, &there) && held.st_dev == there.st_dev &&
	       held.st_ino == there.st_ino;
}

static int take_lock(struct listener *listener, struct problem *problem)
{
	int error;

	for (;;) {
		listener->lock =
			open(listener->lock_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (listener->lock < 0)
			return say_errno(problem, "open", listener->lock_path, -errno);
		if (flock(listener->lock, LOCK_EX | LOCK_NB)) {
			error = -errno;
			close(listener->lock);
			return error == -EWOULDBLOCK
				       ? say_busy(problem, listener->path)
				       : say_errno(problem, "lock", listener->lock_path, error);
		}
		/* The one before us may have taken the file away after we had opened it. */
		if (still_there(listener->lock, listener->lock_path))
			return 0;
		close(listener->lock);
	}
}

static void address_of(const struct listener *listener, struct sockaddr_un *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->sun_family = AF_UNIX;
	memcpy(ret->sun_path, listener->path, sizeof(listener->path));
}

/* 0 when somebody listens there, else the negative errno of connect(2). */
static int try_connect(const struct listener *listener)
{
	struct sockaddr_un address;
	int error = 0;
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	address_of(listener, &address);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)))
		error = -errno;
	close(fd);
	return error;
}

/* Makes the path free, if what is there is a socket of ours that nobody listens on. */
static int remove_stale(const struct listener *listener, struct problem *problem)
{
	struct stat there;
	int error;

	if (lstat(listener->path, &there))
		return errno == ENOENT ? 0 : say_errno(problem, "look at", listener->path, -errno);
	if (!S_ISSOCK(there.st_mode)) {
		problem_say(problem,
			    "%s is there and is no socket; remove it, or choose another "
			    "path with --socket",
			    listener->path);
		return -EEXIST;
	}
	if (there.st_uid != geteuid()) {
		problem_say(problem,
			    "the socket %s belongs to user %u; remove it, or run as that "
			    "user",
			    listener->path, (unsigned int)there.st_uid);
		return -EEXIST;
	}
	error = try_connect(listener);
	/* EAGAIN: its queue is full; EPROTOTYPE: a socket of another type listens */
	if (!error || error == -EAGAIN || error == -EPROTOTYPE)
		return say_busy(problem, listener->path);
	if (error != -ECONNREFUSED)
		return say_errno(problem, "connect to", listener->path, error);
	if (unlink(listener->path))
		return say_errno(problem, "replace", listener->path, -errno);
	return 0;
}

static int bind_socket(struct listener *listener, const struct settings *settings,
		       struct problem *problem)
{
	struct sockaddr_un address;
	struct stat made;
	mode_t mask;
	int error;

	address_of(listener, &address);
	/* The file is born with its mode: there is no moment in which others may connect. */
	mask = umask(0777 & ~settings->socket_mode);
	error = bind(listener->fd, (struct sockaddr *)&address, sizeof(address)) ? -errno : 0;
	umask(mask);
	if (error)
		return say_errno(problem, "listen on", listener->path, error);
	/* Nobody gets in by the other group before it listens. */
	if (settings->socket_group != GROUP_UNCHANGED &&
	    lchown(listener->path, USER_UNCHANGED, settings->socket_group)) {
		error = -errno;
		unlink(listener->path);
		problem_say(problem,
			    "socket-group: cannot give %s to group %u: %s; let the daemon's user "
			    "be a "
			    "member of it",
			    listener->path, (unsigned int)settings->socket_group, strerror(-error));
		return error;
	}
	if (listen(listener->fd, SOMAXCONN) || lstat(listener->path, &made)) {
		error = -errno;
		unlink(listener->path);
		return say_errno(problem, "listen on", listener->path, error);
	}
	listener->device = made.st_dev;
	listener->inode = made.st_ino;
	return 0;
}

static int open_locked(struct listener *listener, const struct settings *settings,
		       struct problem *problem)
{
	int error = remove_stale(listener, problem);

	if (error)
		return error;
	listener->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (listener->fd < 0)
		return say_errno(problem, "make a socket for", listener->path, -errno);
	error = bind_socket(listener, settings, problem);
	return error;
}

int listener_open(struct listener *ret, const struct settings *settings, struct problem *problem)
{
	struct listener listener = { .fd = -1, .lock = -1 };
	int error;

	memcpy(listener.path, settings->socket_path, sizeof(listener.path));
	snprintf(listener.lock_path, sizeof(listener.lock_path), "%s.lock", listener.path);
	error = take_lock(&listener, problem);
	if (error)
		return error;
	error = open_locked(&listener, settings, problem);
	if (error)
		listener_close(&listener);
	else
		*ret = listener;
	return error;
}

int listener_inherit(struct listener *ret, int fd, int lock, struct problem *problem)
{
	struct listener listener = { .fd = fd, .lock = lock };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	socklen_t length = sizeof(address);
	struct stat there;

	if (getsockname(fd, (struct sockaddr *)&address, &length) ||
	    address.sun_family != AF_UNIX || !address.sun_path[0] ||
	    lstat(address.sun_path, &there)) {
		problem_say(problem, "the listening socket that was passed has no file any more; "
				     "restart what has passed it");
		return -ENOENT;
	}
	memcpy(listener.path, address.sun_path, sizeof(listener.path));
	listener.path[sizeof(listener.path) - 1] = '\0';
	snprintf(listener.lock_path, sizeof(listener.lock_path), "%s.lock", listener.path);
	listener.device = there.st_dev;
	listener.inode = there.st_ino;
	*ret = listener;
	return 0;
}

void listener_unlink(struct listener *listener)
{
	struct stat there;

	if (listener->lock < 0)
		return;
	if (!lstat(listener->path, &there) && there.st_dev == listener->device &&
	    there.st_ino == listener->inode)
		unlink(listener->path);
}

void listener_close(struct listener *listener)
{
	if (listener->fd >= 0)
		close(listener->fd);
	listener->fd = -1;
	if (listener->lock < 0)
		return;
	if (still_there(listener->lock, listener->lock_path))
		unlink(listener->lock_path);
	close(listener->lock);
	listener->lock = -1;
}

void listener_leave(struct listener *listener)
{
	if (listener->fd >= 0)
		close(listener->fd);
	if (listener->lock >= 0)
		close(listener->lock);
	listener->fd = listener->lock = -1;
}
