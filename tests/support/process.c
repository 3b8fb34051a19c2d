/* SPDX-License-Identifier: MIT */
#include "tests/support/process.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"

const char *built(const char *name)
{
	static char path[PATH_MAX + 256];
	char folder[PATH_MAX];
	const char *build = getenv("BUILD");

	if (!realpath(build ? build : "build", folder))
		fail_msg("no build folder; run through tests/run or set BUILD");
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

void make_folder(char path[256])
{
	const char *parent = getenv("TMPDIR");

	snprintf(path, 256, "%s/lingerd-test-XXXXXX", parent ? parent : "/tmp");
	assert_non_null(mkdtemp(path));
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)status;
	(void)type;
	(void)walk;
	return remove(path);
}

void remove_folder(const char *path)
{
	assert_int_equal(nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS), 0);
}

static void redirect(const char *path, int target)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	if (fd < 0 || dup2(fd, target) < 0)
		_exit(126);
	close(fd);
}

void process_start(struct process *process, const char *folder, const char *name,
		   char *const argv[])
{
	pid_t parent = getpid();

	snprintf(process->out, sizeof(process->out), "%s/%s.out", folder, name);
	snprintf(process->err, sizeof(process->err), "%s/%s.err", folder, name);
	process->pid = fork();
	assert_true(process->pid >= 0);
	if (process->pid)
		return;
	/* A test that dies takes its programs along. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(126);
	redirect(process->out, STDOUT_FILENO);
	redirect(process->err, STDERR_FILENO);
	execv(argv[0], argv);
	_exit(127);
}

int process_wait(struct process *process, unsigned int seconds)
{
	uint64_t deadline = clock_now_ns() + seconds * NS_PER_S;
	int status;

	for (;;) {
		pid_t ended = waitpid(process->pid, &status, WNOHANG);

		assert_true(ended >= 0);
		if (ended)
			break;
		if (clock_now_ns() > deadline)
			return -1;
		usleep(1000);
	}
	process->pid = -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int process_end(struct process *process, int signal, unsigned int seconds)
{
	assert_true(process->pid > 0);
	assert_int_equal(kill(process->pid, signal), 0);
	return process_wait(process, seconds);
}

int process_fd_count(pid_t pid)
{
	char path[64];
	int count = 0;
	DIR *folder;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	folder = opendir(path);
	assert_non_null(folder);
	for (struct dirent *entry; (entry = readdir(folder));)
		count += entry->d_name[0] != '.';
	closedir(folder);
	return count;
}

bool file_contains(const char *path, const char *text)
{
	static char content[1 << 20];
	FILE *file = fopen(path, "r");
	size_t length;

	if (!file)
		return false;
	length = fread(content, 1, sizeof(content) - 1, file);
	content[length] = '\0';
	fclose(file);
	return strstr(content, text);
}

bool wait_until(bool (*condition)(void *), void *context, unsigned int seconds)
{
	uint64_t deadline = clock_now_ns() + seconds * NS_PER_S;

	while (!condition(context)) {
		if (clock_now_ns() > deadline)
			return condition(context);
		usleep(1000);
	}
	return true;
}
