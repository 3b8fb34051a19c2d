/* SPDX-License-Identifier: MIT */
#include "lingerd/pidfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* An unlinked name first, so that nobody's file of that name is written to. */
static int write_beside(const char *path, struct stat *ret_made)
{
	int error = 0;
	int fd;

	unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	if (dprintf(fd, "%d\n", (int)getpid()) < 0 || fstat(fd, ret_made))
		error = -errno;
	close(fd);
	if (error)
		unlink(path);
	return error;
}

int pidfile_write(struct pidfile *ret, const struct settings *settings, struct problem *problem)
{
	char beside[sizeof(settings->pid_file) + sizeof(".new")];
	struct stat made;
	int error;

	if (!*settings->pid_file)
		return 0;
	snprintf(beside, sizeof(beside), "%s.new", settings->pid_file);
	error = write_beside(beside, &made);
	if (!error && rename(beside, settings->pid_file)) {
		error = -errno;
		unlink(beside);
	}
	if (error) {
		problem_say(problem,
			    "pid-file: cannot write %s: %s; choose a folder that the daemon's user "
			    "may write to, as that of the socket",
			    settings->pid_file, strerror(-error));
		return error;
	}
	*ret = (struct pidfile){ .path = settings->pid_file,
				 .device = made.st_dev,
				 .inode = made.st_ino };
	return 0;
}

void pidfile_remove(struct pidfile *pidfile)
{
	struct stat there;

	if (pidfile->path && !lstat(pidfile->path, &there) && there.st_dev == pidfile->device &&
	    there.st_ino == pidfile->inode)
		unlink(pidfile->path);
	pidfile->path = NULL;
}
