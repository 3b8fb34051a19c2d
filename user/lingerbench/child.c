/* SPDX-License-Identifier: MIT */
#include "lingerbench/child.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
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

int child_cpu_ns(pid_t pid, uint64_t *ret)
{
	siginfo_t info = { 0 };
	struct timespec used;
	clockid_t clock;
	int error = clock_getcpuclockid(pid, &clock);

	if (error)
		return -error;
	/* Of a process that is not our child, but a child's, this tells nothing. */
	if (!waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) && info.si_pid == pid)
		return -ESRCH;
	if (clock_gettime(clock, &used))
		return -ESRCH;
	*ret = (uint64_t)used.tv_sec * NS_PER_S + (uint64_t)used.tv_nsec;
	return 0;
}

int child_wait(pid_t pid, unsigned int seconds)
{
	uint64_t deadline = clock_now_ns() + seconds * NS_PER_S;
	int status = 0;

	while (!child_has_ended(pid) && clock_now_ns() < deadline)
		usleep(500);
	if (!child_has_ended(pid))
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
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

void child_last_line(const char *path, char *ret, size_t size)
{
	char line[512];
	FILE *file = fopen(path, "re");

	while (file && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		if (*line)
			snprintf(ret, size, "%s", line);
	}
	if (file)
		fclose(file);
}
