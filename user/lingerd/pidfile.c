/* SPDX-License-Identifier: MIT */
#include "lingerd/pidfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIDFILE_BESIDE_SIZE = sizeof(((struct settings *)0)->pid_file) + sizeof(".new") };

/* An unlinked name first, so that nobody's file of that name is written to. */
static int write_beside(const char *path, struct stat *ret_made)
{
	mode_t mask;
	int error;
	int fd;

	unlink(path);
	mask = umask(022); /* it is for others, too */
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	error = fd < 0 ? -errno : 0;
	umask(mask);
	if (error)
		return error;
	if (dprintf(fd, "%d\n", (int)getpid()) < 0 || fstat(fd, ret_made))
		error = -errno;
	close(fd);
	if (error)
		unlink(path);
	return error;
}

static void name_beside(const char *path, const char *suffix, char *ret)
{
	snprintf(ret, PIDFILE_BESIDE_SIZE, "%s%s", path, suffix);
}

static int fail(struct problem *problem, const char *path, int error)
{
	problem_say(problem,
		    "pid-file: cannot write %s: %s; choose a folder that the daemon's user may "
		    "write to, as that of the socket",
		    path, strerror(-error));
	return error;
}

int pidfile_prepare(struct pidfile *ret, const struct settings *settings, struct problem *problem)
{
	char beside[PIDFILE_BESIDE_SIZE];
	struct stat made;
	int error;

	if (!*settings->pid_file)
		return 0;
	name_beside(settings->pid_file, ".new", beside);
	error = write_beside(beside, &made);
	if (error)
		return fail(problem, settings->pid_file, error);
	*ret = (struct pidfile){ .path = settings->pid_file,
				 .device = made.st_dev,
				 .inode = made.st_ino };
	return 0;
}

int pidfile_commit(struct pidfile *pidfile, struct problem *problem)
{
	char beside[PIDFILE_BESIDE_SIZE];

	if (!pidfile->path)
		return 0;
	name_beside(pidfile->path, ".new", beside);
	return rename(beside, pidfile->path) ? fail(problem, pidfile->path, -errno) : 0;
}

static bool is_own(const struct pidfile *pidfile, const char *path)
{
	struct stat there;

	return !lstat(path, &there) && there.st_dev == pidfile->device &&
	       there.st_ino == pidfile->inode;
}

void pidfile_remove(struct pidfile *pidfile)
{
	char beside[PIDFILE_BESIDE_SIZE];

	if (!pidfile->path)
		return;
	name_beside(pidfile->path, ".new", beside);
	if (is_own(pidfile, beside))
		unlink(beside);
	/* Who takes over may put its own there just now: what is put aside is looked at again. */
	name_beside(pidfile->path, ".old", beside);
	if (is_own(pidfile, pidfile->path) && !rename(pidfile->path, beside)) {
		if (is_own(pidfile, beside))
			unlink(beside);
		else
			rename(beside, pidfile->path);
	}
	pidfile->path = NULL;
}
