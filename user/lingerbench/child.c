/* SPDX-License-Identifier: MIT */
#include "lingerbench/child.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"

pid_t child_fork(void)
{
	pid_t parent = getpid();
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (pid > 0)
		return pid;
	signal(SIGTERM, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	return 0;
}

bool child_has_ended(pid_t pid)
{
	siginfo_t info = { 0 };

	return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) || info.si_pid == pid;
}

static uint64_t microseconds(struct timeval time)
{
	return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_usec;
}

int child_wait(pid_t pid, unsigned int seconds, uint64_t *ret_cpu_us)
{
	uint64_t deadline = clock_now_ns() + seconds * NS_PER_S;
	struct rusage usage;
	int status = 0;

	while (!child_has_ended(pid) && clock_now_ns() < deadline)
		usleep(500);
	if (!child_has_ended(pid))
		kill(pid, SIGKILL);
	while (wait4(pid, &status, 0, &usage) < 0)
		if (errno != EINTR)
			return -errno;
	*ret_cpu_us = microseconds(usage.ru_utime) + microseconds(usage.ru_stime);
	return status;
}

void child_show_log(const char *path)
{
	char line[512];
	FILE *file = fopen(path, "re");

	for (int i = 0; file && i < 10 && fgets(line, sizeof(line), file); i++)
		fprintf(stderr, "    %s", line);
	if (file)
		fclose(file);
}
