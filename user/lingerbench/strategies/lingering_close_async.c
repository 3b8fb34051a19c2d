/* SPDX-License-Identifier: MIT */
/*
 * nginx's lingering close: half-close, and the connection goes on in the worker's own epoll set while the
 * worker serves others. What is known of a connection is found by its descriptor.
 */
#include "lingerbench/strategy.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "lingerbench/wakeups.h"

/* READS: of one connection, before the others have their turn. */
enum { NGINX_READ_BYTES = 4096, READS = 64, EVENTS = 64, MAX_FDS = 1 << 20 };

/* Each worker process has its own. */
static int set = -1;
static size_t fd_limit;
static struct wakeups deadlines; /* of what lingers, and of nothing else */
static uint64_t *total_deadlines;
static uint64_t idle_timeout_ns;

static int prepare(const struct strategy_settings *settings)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files))
		return -errno;
	fd_limit = files.rlim_cur < MAX_FDS ? files.rlim_cur : MAX_FDS;
	total_deadlines = calloc(fd_limit, sizeof(*total_deadlines));
	if (!total_deadlines || wakeups_make(&deadlines, fd_limit))
		return -ENOMEM;
	idle_timeout_ns = settings->idle_timeout_ns;
	set = epoll_create1(EPOLL_CLOEXEC);
	return set < 0 ? -errno : 0;
}

/* Reads and discards what is there; whether more may come. */
static bool drain(int fd, bool *ret_had_data)
{
	char discarded[NGINX_READ_BYTES];
	ssize_t n = 1;

	*ret_had_data = false;
	for (int i = 0; i < READS && n > 0; i++) {
		n = recv(fd, discarded, sizeof(discarded), MSG_DONTWAIT);
		*ret_had_data |= n > 0;
	}
	return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

/* From now on it is idle. */
static void set_deadline(int fd, uint64_t now)
{
	uint64_t total = total_deadlines[fd];
	uint64_t idle = now + idle_timeout_ns;

	wakeups_set(&deadlines, (size_t)fd, idle < total ? idle : total);
}

static void end(int fd)
{
	wakeups_set(&deadlines, (size_t)fd, WAKEUP_NEVER);
	/* This is the only descriptor of it, so the set forgets it, too. */
	close(fd);
}

static int finish(int fd, const struct strategy_settings *settings)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };
	uint64_t now = clock_now_ns();
	bool had_data;
	int error = 0;

	/* Most peers' FIN is there already, or they are gone: nothing is left to wait for. */
	if (shutdown(fd, SHUT_WR) || !drain(fd, &had_data)) {
		close(fd);
		return 0;
	}
	if ((size_t)fd >= fd_limit)
		error = -EMFILE;
	else if (epoll_ctl(set, EPOLL_CTL_ADD, fd, &event))
		error = -errno;
	if (error) {
		strategy_linger_natively(fd, settings);
		return error;
	}
	total_deadlines[fd] = now + settings->total_timeout_ns;
	set_deadline(fd, now);
	return 0;
}

static void go_on(struct strategy_rest *ret)
{
	struct epoll_event events[EVENTS];
	int count = deadlines.count ? epoll_wait(set, events, EVENTS, 0) : 0;
	uint64_t now = clock_now_ns();
	bool had_data;

	for (int i = 0; i < count; i++) {
		if (!drain(events[i].data.fd, &had_data))
			end(events[i].data.fd);
		else if (had_data)
			set_deadline(events[i].data.fd, now);
	}
	while (wakeups_first(&deadlines).at_ns <= now)
		end((int)wakeups_first(&deadlines).slot);
	*ret = (struct strategy_rest){ .open = deadlines.count,
				       .fd = set,
				       .next_ns = wakeups_first(&deadlines).at_ns };
}

const struct strategy strategy_lingering_close_async = {
	.name = "lingering_close_async",
	.summary = "nginx's: the same, but in the worker's epoll set while it serves others",
	.prepare = prepare,
	.finish = finish,
	.go_on = go_on,
};
