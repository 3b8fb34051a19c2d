/* SPDX-License-Identifier: MIT */
#include "lingerd/limits.h"

#include <dirent.h>
#include <errno.h>
#include <sys/resource.h>

enum {
	MOST_SENDERS = 4096,
	/*
	 * Our own: listener, lock, epoll, signals, the ring of io_uring and its wakeups, the table of the drain in the kernel, the
	 * configuration file at SIGHUP, the system's log; two fds of a message under way, one connection accepted before another is
	 * evicted, and a margin.
	 */
	OWN = 16,
	/* Without /proc to count them: what a service manager or a shell may have left open. */
	OPEN_UNKNOWN = 16,
};

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

int limits_share(uint64_t nofile, uint32_t open_now, const struct limits_needs *needs,
		 struct limits *ret)
{
	uint32_t reserve = open_now + OWN + needs->endpoint + needs->workers;
	uint64_t senders = least(nofile / 4, MOST_SENDERS);

	if (!senders || nofile <= reserve + senders)
		return -EMFILE;
	*ret = (struct limits){
		.connections = (uint32_t)least(nofile - reserve - senders, needs->connections),
		.senders = (uint32_t)senders,
		.reserve = reserve,
	};
	ret->spare = (uint32_t)least(nofile - reserve - senders - ret->connections, UINT32_MAX);
	return 0;
}

static uint32_t count_open(void)
{
	DIR *folder = opendir("/proc/self/fd");
	uint32_t count = 0;

	if (!folder)
		return OPEN_UNKNOWN;
	for (const struct dirent *entry; (entry = readdir(folder));)
		count += entry->d_name[0] != '.';
	closedir(folder);
	return count;
}

static void raise_to(uint64_t needed, bool beyond_hard, struct rlimit *limit)
{
	const struct rlimit wished = { .rlim_cur = needed, .rlim_max = needed };
	struct rlimit most = { .rlim_cur = least(needed, limit->rlim_max),
			       .rlim_max = limit->rlim_max };

	/* Refused without CAP_SYS_RESOURCE, and above fs.nr_open. */
	if (beyond_hard && limit->rlim_max < needed && !setrlimit(RLIMIT_NOFILE, &wished))
		*limit = wished;
	else if (limit->rlim_cur < most.rlim_cur && !setrlimit(RLIMIT_NOFILE, &most))
		*limit = most;
}

int limits_take(const struct limits_needs *needs, struct limits *ret, uint64_t *ret_nofile)
{
	uint32_t open_now = count_open();
	uint64_t needed = (uint64_t)needs->connections + MOST_SENDERS + open_now + OWN +
			  needs->endpoint + needs->workers;
	struct rlimit limit = { 0 };

	getrlimit(RLIMIT_NOFILE, &limit);
	raise_to(needed, needs->as_root, &limit);
	*ret_nofile = limit.rlim_cur;
	return limits_share(*ret_nofile, open_now, needs, ret);
}
