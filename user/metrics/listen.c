/* SPDX-License-Identifier: MIT */
#include "metrics/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int make_socket(const struct metrics_target *target)
{
	int fd = socket(target->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	return fd < 0 ? -errno : fd;
}

/* 0: somebody listens there, or did and has no room just now; else the negative errno of connect(2). */
static int probe(const struct metrics_target *target)
{
	int fd = make_socket(target);
	int error = 0;

	if (fd < 0)
		return fd;
	if (connect(fd, (const struct sockaddr *)&target->address, target->address_size))
		error = -errno;
	close(fd);
	return error == -EAGAIN || error == -EPROTOTYPE ? 0 : error;
}

/* Makes the path free, if what is there is a socket that nobody listens on. */
static int remove_stale(const struct metrics_target *target)
{
	struct stat there;
	int error;

	if (lstat(target->path, &there))
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(there.st_mode))
		return -EEXIST;
	error = probe(target);
	if (!error)
		return -EADDRINUSE;
	if (error != -ECONNREFUSED)
		return error;
	return unlink(target->path) ? -errno : 0;
}

static int bind_and_listen(struct metrics_listener *listener)
{
	const struct metrics_target *target = &listener->target;
	const int yes = 1;
	mode_t mask = 0;
	struct stat made;
	int error = 0;

	if (target->path)
		mask = umask(0117); /* the file is born with its mode */
	else
		setsockopt(listener->fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (bind(listener->fd, (const struct sockaddr *)&target->address, target->address_size))
		error = -errno;
	if (target->path)
		umask(mask);
	if (error)
		return error;
	if (listen(listener->fd, 16) || (target->path && lstat(target->path, &made))) {
		error = -errno;
		if (target->path)
			unlink(target->path);
		return error;
	}
	if (target->path) {
		listener->device = made.st_dev;
		listener->inode = made.st_ino;
	}
	return 0;
}

static void name_place(struct metrics_listener *listener)
{
	struct sockaddr_storage bound = listener->target.address;
	const struct sockaddr_in *ipv4 = (const struct sockaddr_in *)&bound;
	const struct sockaddr_in6 *ipv6 = (const struct sockaddr_in6 *)&bound;
	socklen_t size = sizeof(bound);
	char host[INET6_ADDRSTRLEN] = "";

	/* The port that the kernel chose, if it was to. */
	getsockname(listener->fd, (struct sockaddr *)&bound, &size);
	switch (bound.ss_family) {
	case AF_INET:
		inet_ntop(AF_INET, &ipv4->sin_addr, host, sizeof(host));
		snprintf(listener->place, sizeof(listener->place), "http://%s:%u/metrics", host,
			 ntohs(ipv4->sin_port));
		break;
	case AF_INET6:
		inet_ntop(AF_INET6, &ipv6->sin6_addr, host, sizeof(host));
		snprintf(listener->place, sizeof(listener->place), "http://[%s]:%u/metrics", host,
			 ntohs(ipv6->sin6_port));
		break;
	default:
		snprintf(listener->place, sizeof(listener->place), "the socket %s",
			 listener->target.path);
	}
}

static const char *reason(int error)
{
	switch (error) {
	case -EADDRINUSE:
		return "another process listens there (or has its end of a connection there); "
		       "end it first, or choose another place";
	case -EEXIST:
		return "a file that is no socket is there; remove it, or choose another place";
	default:
		return strerror(-error);
	}
}

/* Where the error alone does not say it. */
static const char *way_out(int error)
{
	switch (error) {
	case -ENOENT:
		return "; make the directory, or choose another place";
	case -EACCES:
	case -EPERM:
		return "; run as a user who may listen there, or choose another place";
	case -EADDRNOTAVAIL:
		return "; choose an address that this machine has";
	default:
		return "";
	}
}

int metrics_listen(struct metrics_listener *ret, const struct metrics_target *target, char *error,
		   size_t error_size)
{
	struct metrics_listener listener = { .target = *target };
	int result = target->path ? remove_stale(target) : 0;

	if (!result) {
		listener.fd = make_socket(target);
		result = listener.fd < 0 ? listener.fd : bind_and_listen(&listener);
		if (result && listener.fd >= 0)
			close(listener.fd);
	}
	if (result) {
		snprintf(error, error_size, "cannot listen: %s%s", reason(result), way_out(result));
		return result;
	}
	name_place(&listener);
	*ret = listener;
	return 0;
}

void metrics_listener_unlink(const struct metrics_listener *listener)
{
	struct stat there;

	if (listener->target.path && !lstat(listener->target.path, &there) &&
	    there.st_dev == listener->device && there.st_ino == listener->inode)
		unlink(listener->target.path);
}
