/* SPDX-License-Identifier: MIT */
#include "tests/support/group.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "liblinger/linger.h"
#include "liblinger/protocol.h"
#include "lingerctl/ask.h"
#include "lingerd/counters.h"

struct tcp_pair group_pairs[GROUP_LINGERS];

const char *const group_of_eight[] = { "--workers", "8", "--idle-timeout", "300", "--total-timeout",
				       "300",	    NULL };

int group_raise_limit(void **state)
{
	struct rlimit limit;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	return 0;
}

void group_hand_over(const struct lingerd *daemon, int first, int count)
{
	struct linger_client *client = lingerd_open_client(daemon);

	for (int i = first; i < first + count; i++)
		group_pairs[i] = lingerd_hand_over(client);
	linger_client_close(client);
	lingerd_expect(daemon, "senders", 1);
}

void group_close_clients(int count)
{
	for (int i = 0; i < count; i++)
		close(group_pairs[i].client);
}

static pid_t parent_of(pid_t pid)
{
	char path[64], comm[64], state;
	int parent = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	file = fopen(path, "r");
	if (file && fscanf(file, "%*d (%63[^)]) %c %d", comm, &state, &parent) != 3)
		parent = 0;
	if (file)
		fclose(file);
	return parent;
}

int group_find_shelves(const struct lingerd *daemon, pid_t ret[GROUP_SHELVES])
{
	DIR *folder = opendir("/proc");
	int count = 0;

	assert_non_null(folder);
	for (const struct dirent *entry; (entry = readdir(folder));) {
		pid_t pid = (pid_t)atoi(entry->d_name);

		if (pid > 0 && parent_of(pid) == daemon->process.pid) {
			assert_true(count < GROUP_SHELVES);
			ret[count++] = pid;
		}
	}
	closedir(folder);
	return count;
}

static void read_counters(const struct lingerd *daemon, struct counters *ret)
{
	char text[COUNTERS_TEXT_MAX], *rest = text, *line;

	memset(ret, 0, sizeof(*ret));
	assert_int_equal(ask(daemon->socket, LINGER_MESSAGE_STATUS, text, sizeof(text)), 0);
	while ((line = strsep(&rest, "\n"))) {
		char *value = strchr(line, ' ');

		if (value) {
			*value++ = '\0';
			counters_set(ret, line, strtoull(value, NULL, 10));
		}
	}
}

void group_books_balance(const struct lingerd *daemon)
{
	struct counters c;

	read_counters(daemon, &c);
	assert_int_equal(c.handoffs + c.restored,
			 c.lingers + counters_sum(&c, COUNTER_END) + c.passed_on);
}

int group_fds(const struct group *group)
{
	int count = process_fd_count(group->daemon->process.pid);

	for (int i = 0; i < group->count; i++)
		count += process_fd_count(group->shelves[i]);
	return count;
}

bool group_fds_are_idle(void *group)
{
	return group_fds(group) == ((struct group *)group)->idle_fds;
}

bool group_is_gone(void *context)
{
	const struct group *group = context;

	for (int i = 0; i < group->count; i++)
		if (!kill(group->shelves[i], 0))
			return false;
	return true;
}

void group_start(struct group *group, struct lingerd *daemon, const char *const options[])
{
	/* Room for some 120 in the first process, and 170 in each of the others. */
	char files[32];
	const char *const narrow[] = { "/usr/bin/prlimit", files, NULL };

	snprintf(files, sizeof(files), "--nofile=%d", GROUP_FILES);
	lingerd_start_under(daemon, narrow, options);
	group->daemon = daemon;
	group->count = group_find_shelves(daemon, group->shelves);
	group->idle_fds = daemon->idle_fds;
	for (int i = 0; i < group->count; i++)
		group->idle_fds += process_fd_count(group->shelves[i]);
}

void group_stop(struct group *group, struct lingerd *daemon)
{
	lingerd_stop(daemon);
	assert_true(wait_until(group_is_gone, group, GROUP_PATIENCE_S));
}
