/* SPDX-License-Identifier: MIT */
/*
 * crowd LINGERS WORKERS SECONDS: so many connections linger at once in a lingerd of so many processes, which it starts, until
 * their total timeout of SECONDS; their clients say nothing and see when they are given up, by its reset. Prints what memory
 * that took, how even it was shared, and by how much the ends missed their deadlines. Every client's process has a limit of open
 * files as well, so there are several.
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "liblinger/linger.h"
#include "lingerctl/ask.h"
#include "tests/bench/loopback.h"

enum {
	CLIENTS_OF_ONE = 18000, /* and no more: the usual hard limit is 20000, or more */
	EVENTS = 256,
	PROCESSES_MAX = 128,
	LATE_S = 30, /* so late, and it has failed */
};

struct seen {
	uint64_t handed_over_ns; /* when the call began */
	uint64_t ended_ns;	 /* 0: not yet */
};

static uint32_t total, workers, seconds;
static struct seen *seen; /* of all clients, shared by their processes */
static char folder[64], path[80];
static pid_t lingerd;

_Noreturn static void fail(const char *what)
{
	fprintf(stderr, "crowd: %s\n", what);
	exit(1);
}

static void raise_limit(void)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur < CLIENTS_OF_ONE + 100)
		fail("the limit of open files is too low: ulimit -Hn");
}

static uint64_t counter(const char *name)
{
	char text[8192] = "\n", line[64];
	const char *found;

	if (ask(path, LINGER_MESSAGE_STATUS, text + 1, sizeof(text) - 1))
		return UINT64_MAX;
	snprintf(line, sizeof(line), "\n%s ", name);
	found = strstr(text, line);
	return found ? strtoull(found + strlen(line), NULL, 10) : UINT64_MAX;
}

static void start_lingerd(void)
{
	const char *build = getenv("BUILD");
	char program[256], most[16], processes[16], timeout[16];

	strcpy(folder, "/tmp/crowd-XXXXXX");
	if (!mkdtemp(folder))
		bench_die("mkdtemp");
	snprintf(path, sizeof(path), "%s/s", folder);
	snprintf(program, sizeof(program), "%s/lingerd", build ? build : "build");
	snprintf(most, sizeof(most), "%u", total);
	snprintf(processes, sizeof(processes), "%u", workers);
	snprintf(timeout, sizeof(timeout), "%u", seconds);
	lingerd = fork();
	if (!lingerd) {
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		execl(program, "lingerd", "--socket", path, "--workers", processes,
		      "--max-connections", most, "--idle-timeout", timeout, "--total-timeout",
		      timeout, "--at-deadline", "reset", NULL);
		bench_die(program);
	}
	for (int i = 0; counter("lingers") == UINT64_MAX; i++) {
		if (i == 1000)
			fail("lingerd does not answer");
		usleep(10000);
	}
}

/* All of its processes, the first one first. */
static uint32_t find_processes(pid_t ret[PROCESSES_MAX])
{
	char list[64 + 16], *rest;
	static char text[16384];
	uint32_t count = 1;
	FILE *file;

	ret[0] = lingerd;
	snprintf(list, sizeof(list), "/proc/%d/task/%d/children", (int)lingerd, (int)lingerd);
	file = fopen(list, "r");
	text[file ? fread(text, 1, sizeof(text) - 1, file) : 0] = '\0';
	if (file)
		fclose(file);
	rest = text;
	while (count < PROCESSES_MAX && (ret[count] = (pid_t)strtol(rest, &rest, 10)))
		count++;
	return count;
}

static long read_field(pid_t pid, const char *name, const char *field)
{
	char file_name[64], line[256];
	long value = 0;
	FILE *file;

	snprintf(file_name, sizeof(file_name), "/proc/%d/%s", (int)pid, name);
	file = fopen(file_name, "r");
	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, field, strlen(field)))
			value = strtol(line + strlen(field), NULL, 10);
	if (file)
		fclose(file);
	return value;
}

static long count_fds(pid_t pid)
{
	char name[64];
	long count = 0;
	DIR *fds;

	snprintf(name, sizeof(name), "/proc/%d/fd", (int)pid);
	fds = opendir(name);
	while (fds && readdir(fds))
		count++;
	if (fds)
		closedir(fds);
	return count - 2;
}

struct look {
	uint32_t processes;
	long rss_kib; /* of all; what they share is counted once */
	long fewest_fds, most_fds;
};

static struct look look(void)
{
	pid_t processes[PROCESSES_MAX];
	struct look look = { .processes = find_processes(processes), .fewest_fds = 1 << 30 };

	for (uint32_t i = 0; i < look.processes; i++) {
		long fds = count_fds(processes[i]);

		look.rss_kib += read_field(processes[i], "smaps_rollup", "Pss:");
		look.most_fds = fds > look.most_fds ? fds : look.most_fds;
		look.fewest_fds = fds < look.fewest_fds ? fds : look.fewest_fds;
	}
	return look;
}

/* -- The clients -- */

static void hand_over(struct linger_client *client, int epoll, uint32_t index)
{
	struct pair pair = bench_connect();
	/* Only errors and the end, once. */
	struct epoll_event event = { .events = EPOLLET,
				     .data.u64 = (uint64_t)index << 32 | (uint32_t)pair.client };
	int error;

	do
		seen[index].handed_over_ns = clock_now_ns();
	while ((error = linger_handoff(client, pair.server)) == -EAGAIN && !usleep(200));
	if (error)
		fail("a handoff failed");
	close(pair.server);
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, pair.client, &event))
		bench_die("epoll_ctl");
}

static void be_clients(uint32_t first, uint32_t count)
{
	struct epoll_event events[EVENTS];
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	struct linger_client *client;
	uint32_t ended = 0;

	if (epoll < 0 || linger_client_open(&client, path))
		bench_die("linger_client_open");
	for (uint32_t i = first; i < first + count; i++)
		hand_over(client, epoll, i);
	while (ended < count) {
		int ready = epoll_wait(epoll, events, EVENTS, (int)(seconds + LATE_S) * 1000);
		uint64_t now = clock_now_ns();

		if (ready == 0)
			fail("some connections do not end");
		for (int i = 0; i < ready; i++) {
			struct seen *one = &seen[events[i].data.u64 >> 32];

			if (!(events[i].events & (EPOLLERR | EPOLLHUP)) || one->ended_ns)
				continue;
			one->ended_ns = now;
			ended++;
			close((int)(uint32_t)events[i].data.u64);
		}
	}
	linger_client_close(client);
}

static uint32_t start_clients(void)
{
	uint32_t processes = 0;

	for (uint32_t first = 0; first < total; first += CLIENTS_OF_ONE, processes++) {
		uint32_t count = total - first < CLIENTS_OF_ONE ? total - first : CLIENTS_OF_ONE;

		if (!fork()) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			be_clients(first, count);
			_exit(0);
		}
	}
	return processes;
}

static void wait_for_clients(uint32_t processes)
{
	int status;

	for (; processes; processes--) {
		pid_t pid = wait(&status);

		if (pid == lingerd || pid < 0 || status)
			fail("a process of the clients, or lingerd, has failed");
	}
}

/* -- What they saw -- */

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static void print_ends(void)
{
	int64_t *late_us = calloc(total, sizeof(*late_us));
	uint32_t early = 0;

	if (!late_us)
		fail("no memory");
	for (uint32_t i = 0; i < total; i++) {
		uint64_t lasted = seen[i].ended_ns - seen[i].handed_over_ns;

		late_us[i] = ((int64_t)lasted - (int64_t)(seconds * NS_PER_S)) / 1000;
	}
	qsort(late_us, total, sizeof(*late_us), by_value);
	while (early < total && late_us[early] < 0)
		early++;
	printf("ends after the deadline: first %.1f, median %.1f, 99 %% %.1f, last %.1f ms; %u too "
	       "early\n",
	       (double)late_us[0] / 1e3, (double)late_us[total / 2] / 1e3,
	       (double)late_us[total - total / 100 - 1] / 1e3, (double)late_us[total - 1] / 1e3,
	       early);
	free(late_us);
}

static void clean_up(void)
{
	char lock[96];

	if (lingerd > 0) {
		kill(lingerd, SIGTERM);
		waitpid(lingerd, NULL, 0);
	}
	snprintf(lock, sizeof(lock), "%s.lock", path);
	unlink(lock);
	unlink(path);
	rmdir(folder);
}

int main(int argc, char *argv[])
{
	uint64_t began, lingers = 0;
	struct look idle, full, after;
	uint32_t processes;

	if (argc != 4)
		fail("usage: crowd LINGERS WORKERS SECONDS");
	total = (uint32_t)atoi(argv[1]);
	workers = (uint32_t)atoi(argv[2]);
	seconds = (uint32_t)atoi(argv[3]);
	raise_limit();
	seen = mmap(NULL, total * sizeof(*seen), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		    -1, 0);
	if (seen == MAP_FAILED)
		bench_die("mmap");
	start_lingerd();
	idle = look();
	began = clock_now_ns();
	processes = start_clients();
	while (lingers < total && clock_now_ns() < began + seconds * NS_PER_S) {
		usleep(100000);
		lingers = counter("lingers");
	}
	printf("%" PRIu64 " linger at once, %.1f s after the first; %" PRIu64 " handed over\n",
	       lingers, (double)(clock_now_ns() - began) / 1e9, counter("handoffs"));
	full = look();
	printf("%u processes with %ld to %ld descriptors each\n", full.processes, full.fewest_fds,
	       full.most_fds);
	printf("memory: %ld KiB before, %ld KiB with them: %.0f bytes each\n", idle.rss_kib,
	       full.rss_kib, (double)(full.rss_kib - idle.rss_kib) * 1024 / (double)total);
	wait_for_clients(processes);
	for (int i = 0; counter("lingers") && i < 1000; i++)
		usleep(10000);
	after = look();
	printf("ended_total %" PRIu64 ", ended_lost %" PRIu64 ", the most at once %" PRIu64
	       "; descriptors %ld at most\n",
	       counter("ended_total"), counter("ended_lost"), counter("lingers_peak"),
	       after.most_fds);
	print_ends();
	clean_up();
	return 0;
}
