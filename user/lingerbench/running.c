/* SPDX-License-Identifier: MIT */
#include "lingerbench/running.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "lingerbench/child.h"
#include "lingerbench/folder.h"
#include "lingerbench/locate.h"
#include "lingerbench/pages.h"
#include "lingerbench/proctree.h"
#include "lingerbench/serveruser.h"

enum { START_LIMIT_S = 15, STOP_LIMIT_S = 5 };

static int copy_plugin(const char *name, const char *folder)
{
	char path[PATH_MAX];
	int error = locate_library(name, path);

	return error ? error : folder_take_copy(folder, path);
}

static int furnish(const struct program *program, const struct program_setup *setup,
		   const struct response *response)
{
	struct serveruser user = serveruser();
	int error = mkdir(setup->folder, 0755) ? -errno : 0;

	if (!error)
		error = pages_write(setup->folder, response);
	if (!error)
		error = program->configure(setup);
	/* The server's user may not be able to read where we lie. */
	if (!error && program->plugin && setup->strategy->needs_lingerd)
		error = copy_plugin(program->plugin, setup->folder);
	if (!error)
		error = folder_give_away(setup->folder, user.uid, user.gid);
	return error;
}

/* As fork(2), into a PID namespace of its own where that is allowed. */
static pid_t fork_apart(void)
{
	pid_t pid = (pid_t)syscall(SYS_clone, (long)(CLONE_NEWPID | SIGCHLD), 0L, 0L, 0L, 0L);

	if (pid < 0 && (errno == EPERM || errno == ENOSYS || errno == EINVAL))
		pid = fork();
	return pid < 0 ? -errno : pid;
}

static void set_environment(const char *folder)
{
	clearenv();
	setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 1);
	setenv("LANG", "C", 1);
	setenv("HOME", folder, 1);
	setenv("TMPDIR", folder, 1);
	setenv("PYTHONDONTWRITEBYTECODE", "1", 1);
}

static _Noreturn void become_server(const struct program *program,
				    const struct program_setup *setup)
{
	int error, log, null = open("/dev/null", O_RDONLY);
	char path[PATH_MAX];

	/* The lab may be killed at any moment from here on. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	snprintf(path, sizeof(path), "%s/" PROGRAM_LOG, setup->folder);
	signal(SIGTERM, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	setsid();
	error = serveruser_become();
	/* To change the user has taken it away. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	log = open(path, O_WRONLY | O_CREAT | O_APPEND, 0644);
	dup2(null, STDIN_FILENO);
	dup2(log, STDOUT_FILENO);
	dup2(log, STDERR_FILENO);
	close(null);
	close(log);
	if (!error && chdir(setup->folder))
		error = -errno;
	if (!error) {
		set_environment(setup->folder);
		error = program->execute(setup);
	}
	log_error("cannot become %s: %s", program->name, strerror(-error));
	_exit(127);
}

static bool all_there(const struct program *program, const struct program_setup *setup, pid_t pid)
{
	struct proctree tree = { 0 };

	proctree_add(&tree, pid);
	return tree.count >= 1 + (program->threads ? 1 : setup->workers);
}

static int wait_until_ready(pid_t pid, const struct program *program,
			    const struct program_setup *setup, const volatile bool *interrupted,
			    struct probe *probe)
{
	uint64_t deadline = clock_now_ns() + START_LIMIT_S * NS_PER_S;

	for (;;) {
		if (*interrupted)
			return -EINTR;
		if (child_has_ended(pid))
			return -ECHILD;
		if (all_there(program, setup, pid) &&
		    probe_step(probe, setup->address, setup->port))
			return 0;
		if (clock_now_ns() > deadline)
			return -ETIMEDOUT;
		usleep(5000);
	}
}

static void complain(const struct program *program, const struct program_setup *setup,
		     const char *what)
{
	char path[PATH_MAX], line[512] = "";

	snprintf(path, sizeof(path), "%s/" PROGRAM_LOG, setup->folder);
	child_last_line(path, line, sizeof(line));
	log_error("%s %s; its log ends: %s", program->name, what, *line ? line : "(empty)");
}

pid_t running_start(const struct program *program, const struct program_setup *setup,
		    const struct response *response, const volatile bool *interrupted,
		    struct probe *probe)
{
	int error = furnish(program, setup, response);
	pid_t pid;

	if (error) {
		log_error("cannot write what %s needs to %s: %s", program->name, setup->folder,
			  strerror(-error));
		return error;
	}
	pid = fork_apart();
	if (!pid)
		become_server(program, setup);
	if (pid < 0) {
		log_error("cannot fork: %s", strerror(-pid));
		return pid;
	}
	error = wait_until_ready(pid, program, setup, interrupted, probe);
	if (!error)
		return pid;
	if (error == -ECHILD)
		complain(program, setup, "did not start");
	else if (error == -ETIMEDOUT)
		complain(program, setup, "did not answer in time");
	running_stop(pid);
	return error;
}

void running_stop(pid_t pid)
{
	struct proctree tree = { 0 };

	proctree_add(&tree, pid);
	if (!child_has_ended(pid))
		kill(pid, SIGTERM);
	child_wait(pid, STOP_LIMIT_S);
	/* Without a namespace of its own something may be left in its session. */
	for (size_t i = 1; i < tree.count; i++)
		if (getsid(tree.processes[i].pid) == pid)
			kill(tree.processes[i].pid, SIGKILL);
}

void running_complain_of_end(const struct program *program, const struct program_setup *setup)
{
	complain(program, setup, "ended in the middle of a trial");
}
