/* SPDX-License-Identifier: MIT */
/*
 * nginx's lingering close: half-close, and the connection goes on in the worker's own epoll set while the
 * worker serves others. All have the same two timeouts, so two queues have their deadlines in order.
 */
#include "lingerbench/strategy.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"

/* READS: of one connection, before the others have their turn. */
enum { NGINX_READ_BYTES = 4096, READS = 64, EVENTS = 64 };

struct lingering {
	int fd;
	uint64_t idle_deadline;
	uint64_t total_deadline;
	TAILQ_ENTRY(lingering) by_idle;	 /* who got data last stands last */
	TAILQ_ENTRY(lingering) by_total; /* in the order of their coming */
};

TAILQ_HEAD(lingerings, lingering);

/* Each worker process has its own. */
static struct lingerings by_idle = TAILQ_HEAD_INITIALIZER(by_idle);
static struct lingerings by_total = TAILQ_HEAD_INITIALIZER(by_total);
static size_t open_count;
static uint64_t idle_timeout_ns;
static int set = -1;

static int prepare(const struct strategy_settings *settings)
{
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

static void end(struct lingering *lingering)
{
	TAILQ_REMOVE(&by_idle, lingering, by_idle);
	TAILQ_REMOVE(&by_total, lingering, by_total);
	/* This is the only descriptor of it, so the set forgets it, too. */
	close(lingering->fd);
	free(lingering);
	open_count--;
}

static int finish(int fd, const struct strategy_settings *settings)
{
	struct epoll_event event = { .events = EPOLLIN };
	struct lingering *lingering;
	uint64_t now = clock_now_ns();
	bool had_data;

	/* Most peers' FIN is there already, or they are gone: nothing is left to wait for. */
	if (shutdown(fd, SHUT_WR) || !drain(fd, &had_data)) {
		close(fd);
		return 0;
	}
	lingering = malloc(sizeof(*lingering));
	event.data.ptr = lingering;
	if (!lingering || epoll_ctl(set, EPOLL_CTL_ADD, fd, &event)) {
		int error = lingering ? -errno : -ENOMEM;

		free(lingering);
		strategy_linger_natively(fd, settings);
		return error;
	}
	*lingering = (struct lingering){ .fd = fd,
					 .idle_deadline = now + idle_timeout_ns,
					 .total_deadline = now + settings->total_timeout_ns };
	TAILQ_INSERT_TAIL(&by_idle, lingering, by_idle);
	TAILQ_INSERT_TAIL(&by_total, lingering, by_total);
	open_count++;
	return 0;
}

static void handle_event(struct lingering *lingering, uint64_t now)
{
	bool had_data;

	if (!drain(lingering->fd, &had_data)) {
		end(lingering);
	} else if (had_data) {
		lingering->idle_deadline = now + idle_timeout_ns;
		TAILQ_REMOVE(&by_idle, lingering, by_idle);
		TAILQ_INSERT_TAIL(&by_idle, lingering, by_idle);
	}
}

static void go_on(struct strategy_rest *ret)
{
	struct epoll_event events[EVENTS];
	struct lingering *first;
	int count = open_count ? epoll_wait(set, events, EVENTS, 0) : 0;
	uint64_t now = clock_now_ns();

	for (int i = 0; i < count; i++)
		handle_event(events[i].data.ptr, now);
	while ((first = TAILQ_FIRST(&by_idle)) && first->idle_deadline <= now)
		end(first);
	while ((first = TAILQ_FIRST(&by_total)) && first->total_deadline <= now)
		end(first);
	*ret = (struct strategy_rest){ .open = open_count, .fd = set, .next_ns = UINT64_MAX };
	if ((first = TAILQ_FIRST(&by_idle)))
		ret->next_ns = first->idle_deadline;
	if ((first = TAILQ_FIRST(&by_total)) && first->total_deadline < ret->next_ns)
		ret->next_ns = first->total_deadline;
}

const struct strategy strategy_lingering_close_async = {
	.name = "lingering_close_async",
	.summary = "nginx's: the same, but in the worker's epoll set while it serves others",
	.prepare = prepare,
	.finish = finish,
	.go_on = go_on,
};
