/* SPDX-License-Identifier: MIT */
#include "tests/soak/soak_daemon.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "lingerctl/ask.h"

const char *const soak_never[] = { "lingers",
				   "ended_total",
				   "ended_byte_cap",
				   "ended_shed",
				   "ended_quota",
				   "ended_error",
				   "ended_command",
				   "ended_shutdown",
				   "refused_no_fd",
				   "refused_many_fds",
				   "refused_not_tcp",
				   "refused_not_connected",
				   "refused_bad_message",
				   "refused_version",
				   "refused_truncated",
				   "refused_access",
				   NULL };

static pid_t owner; /* the process that started the daemon, and ends it */
static struct soak_daemon *running;

void soak_fail(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fputs("soak: ", stderr);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
	va_end(arguments);
	fflush(stdout);
	if (running && getpid() == owner)
		soak_stop(running);
	_exit(1);
}

static void end(int signal)
{
	(void)signal;
	if (getpid() == owner)
		soak_fail("interrupted");
	_exit(1);
}

static void become_lingerd(const struct soak_daemon *daemon, unsigned int idle_ms)
{
	const char *build = getenv("BUILD");
	char program[256], idle[32];

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	signal(SIGINT, SIG_IGN); /* from the terminal it is ours to end it */
	snprintf(program, sizeof(program), "%s/lingerd", build ? build : "build");
	snprintf(idle, sizeof(idle), "%u.%03u", idle_ms / 1000, idle_ms % 1000);
	execl(program, "lingerd", "--socket", daemon->socket, "--idle-timeout", idle, NULL);
	fprintf(stderr, "cannot run %s: %s\n", program, strerror(errno));
	_exit(127);
}

void soak_start(struct soak_daemon *ret, unsigned int idle_ms)
{
	const char *scratch = getenv("TMPDIR");
	uint64_t limit = clock_now_ns() + 10 * NS_PER_S;
	char text[65536];

	snprintf(ret->folder, sizeof(ret->folder), "%.40s/soak-XXXXXX", scratch ? scratch : "/tmp");
	if (!mkdtemp(ret->folder))
		soak_fail("%s: %s", ret->folder, strerror(errno));
	snprintf(ret->socket, sizeof(ret->socket), "%s/s", ret->folder);
	ret->pid = fork();
	if (ret->pid < 0)
		soak_fail("fork: %s", strerror(errno));
	if (!ret->pid)
		become_lingerd(ret, idle_ms);
	owner = getpid();
	running = ret;
	signal(SIGINT, end);
	signal(SIGTERM, end);
	while (ask(ret->socket, LINGER_MESSAGE_STATUS, text, sizeof(text))) {
		if (clock_now_ns() > limit || waitpid(ret->pid, NULL, WNOHANG) == ret->pid)
			soak_fail("lingerd does not answer");
		usleep(10000);
	}
}

void soak_stop(struct soak_daemon *daemon)
{
	char path[128];

	running = NULL;
	kill(daemon->pid, SIGTERM);
	waitpid(daemon->pid, NULL, 0);
	snprintf(path, sizeof(path), "%s.lock", daemon->socket);
	unlink(path);
	unlink(daemon->socket);
	rmdir(daemon->folder);
}

uint64_t soak_counter(const struct soak_daemon *daemon, const char *name)
{
	char text[65536], line[64];
	const char *found;
	int error = ask(daemon->socket, LINGER_MESSAGE_STATUS, text + 1, sizeof(text) - 1);

	if (error)
		soak_fail("lingerd does not answer: %s", strerror(-error));
	text[0] = '\n';
	snprintf(line, sizeof(line), "\n%s ", name);
	found = strstr(text, line);
	if (!found)
		soak_fail("there is no counter %s", name);
	return strtoull(found + strlen(line), NULL, 10);
}

void soak_expect(const struct soak_daemon *daemon, const char *name, uint64_t value)
{
	uint64_t is = soak_counter(daemon, name);

	if (is != value)
		soak_fail("%s is %llu, not %llu", name, (unsigned long long)is,
			  (unsigned long long)value);
}

void soak_wait_for(const struct soak_daemon *daemon, const char *name, uint64_t value,
		   unsigned int seconds)
{
	uint64_t limit = clock_now_ns() + seconds * NS_PER_S;

	while (soak_counter(daemon, name) != value && clock_now_ns() < limit)
		usleep(10000);
	soak_expect(daemon, name, value);
}

static int fds_of(pid_t pid)
{
	char path[64];
	int count = 0;
	DIR *folder;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	folder = opendir(path);
	if (!folder)
		soak_fail("%s: %s", path, strerror(errno));
	for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder))
		count += entry->d_name[0] != '.';
	closedir(folder);
	return count;
}

/* Who has just asked is still there for a moment. */
static int fewest_fds_of(pid_t pid)
{
	int fewest = fds_of(pid);

	for (int i = 0; i < 20; i++) {
		int now = fds_of(pid);

		fewest = now < fewest ? now : fewest;
		usleep(5000);
	}
	return fewest;
}

static void read_proc(pid_t pid, const char *name, char text[4096])
{
	char path[64];
	size_t length;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	file = fopen(path, "re");
	if (!file)
		soak_fail("%s: %s", path, strerror(errno));
	length = fread(text, 1, 4095, file);
	text[length] = '\0';
	fclose(file);
}

void soak_look(const struct soak_daemon *daemon, struct soak_look *ret)
{
	unsigned long user, system;
	char text[4096];
	const char *line;

	/* Its senders have hung up; it may not have read that yet. */
	soak_wait_for(daemon, "senders", 1, 10);
	ret->fds = fewest_fds_of(daemon->pid);
	read_proc(daemon->pid, "status", text);
	line = strstr(text, "VmRSS:");
	ret->rss_kib = line ? strtol(line + 6, NULL, 10) : -1;
	read_proc(daemon->pid, "stat", text);
	line = strrchr(text, ')');
	if (!line || sscanf(line, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
			    &system) != 2)
		soak_fail("/proc/%d/stat cannot be read", (int)daemon->pid);
	ret->cpu_s = (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}
