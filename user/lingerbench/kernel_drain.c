/* SPDX-License-Identifier: MIT */
#include "lingerbench/kernel_drain.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/log.h"
#include "lingerbench/locate.h"

static int run_drain(const char *program, const char *table)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		execl(program, "lingerd-drain", "--user", "root", "--table", table, "load",
		      (char *)NULL);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return -errno;
	return status ? -EPROTO : 0; /* it has said why */
}

int kernel_drain_load(const char *folder, char ret[PATH_MAX])
{
	char program[PATH_MAX];
	int error = locate_program("lingerd-drain", program);

	if (error) {
		log_error("cannot find lingerd-drain, neither beside this program nor in ../sbin: "
			  "%s; make builds it, make install installs it",
			  strerror(-error));
		return error;
	}
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)) {
		log_error("the drain in the kernel takes root: %m");
		return -errno;
	}
	snprintf(ret, PATH_MAX, "%.*s/drain/connections", PATH_MAX - 32, folder);
	return run_drain(program, ret);
}
