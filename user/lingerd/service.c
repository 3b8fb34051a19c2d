/* SPDX-License-Identifier: MIT */
#include "lingerd/service.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"

/* Of what we put into the store. */
static const char STORE_NAME[] = "lingerd-succession";
static const uint64_t STATUS_EVERY_NS = 1 * NS_PER_S;
static const uint64_t STORE_PATIENCE_US = 5000000;

static int take_listener(struct inherited *ret, int fd, struct problem *problem)
{
	if (ret->listener >= 0) {
		problem_say(problem, "the service manager passes more than one socket; lingerd "
				     "listens on one (ListenSequentialPacket=)");
		return -EINVAL;
	}
	if (sd_is_socket_unix(fd, SOCK_SEQPACKET, 1, NULL, 0) <= 0) {
		problem_say(problem, "what the service manager passes is no listening Unix socket "
				     "of type SOCK_SEQPACKET; use ListenSequentialPacket=");
		return -EINVAL;
	}
	fcntl(fd, F_SETFL, O_NONBLOCK);
	ret->listener = fd;
	return 0;
}

static int take_one(struct inherited *ret, int fd, const char *name, struct problem *problem)
{
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	if (name && !strcmp(name, STORE_NAME)) {
		if (ret->left.count < SUCCESSION_QUEUES_MAX)
			ret->left.queues[ret->left.count++] = fd;
		else
			close(fd);
		return 0;
	}
	return take_listener(ret, fd, problem);
}

int service_inherit(struct inherited *ret, struct problem *problem)
{
	char **names = NULL;
	int count = sd_listen_fds_with_names(1, &names);
	int error = 0;

	*ret = (struct inherited){ .listener = -1, .lock = -1, .giver = -1 };
	for (int i = 0; i < count; i++) {
		int fd = SD_LISTEN_FDS_START + i;

		if (!error)
			error = take_one(ret, fd, names ? names[i] : NULL, problem);
		if (error)
			close(fd);
	}
	for (int i = 0; i < count && names; i++)
		free(names[i]);
	free(names);
	if (error) {
		if (ret->listener >= 0)
			close(ret->listener);
		succession_close(&ret->left);
	}
	return error;
}

void service_open(struct service *service)
{
	uint64_t interval_us = 0;

	*service = (struct service){ .managed = getenv("NOTIFY_SOCKET") != NULL };
	/* Twice in the interval, as sd_watchdog_enabled(3) recommends. */
	if (sd_watchdog_enabled(0, &interval_us) > 0)
		service->watchdog_ns = interval_us * NS_PER_US / 2;
}

void service_ready(const struct service *service)
{
	if (service->managed)
		sd_notify(0, "READY=1");
}

void service_reloading(const struct service *service)
{
	if (service->managed)
		sd_notify(0, "RELOADING=1");
}

void service_stopping(const struct service *service)
{
	if (service->managed)
		sd_notify(0, "STOPPING=1");
}

static bool has_news(const struct service *service, const struct counters *counters)
{
	return service->managed && (service->said_handoffs != counters->handoffs ||
				    service->said_lingers != counters->lingers);
}

static void say_status(struct service *service, const struct counters *counters, uint64_t now_ns)
{
	service->said_handoffs = counters->handoffs;
	service->said_lingers = counters->lingers;
	service->status_at_ns = now_ns + STATUS_EVERY_NS;
	sd_notifyf(0,
		   "STATUS=%" PRIu64 " connections linger (of %" PRIu64 "), %" PRIu64
		   " taken over since the start",
		   counters->lingers, counters->max_connections, counters->handoffs);
}

void service_tick(struct service *service, const struct counters *counters, bool alive,
		  uint64_t now_ns)
{
	if (service->watchdog_ns && now_ns >= service->alive_at_ns) {
		/* Who is not may be soon; it has twice that time. */
		service->alive_at_ns =
			now_ns + (alive ? service->watchdog_ns : service->watchdog_ns / 4);
		if (alive)
			sd_notify(0, "WATCHDOG=1");
	}
	if (has_news(service, counters) && now_ns >= service->status_at_ns)
		say_status(service, counters, now_ns);
}

uint64_t service_next_ns(const struct service *service, const struct counters *counters)
{
	uint64_t next = service->watchdog_ns ? service->alive_at_ns : UINT64_MAX;

	if (has_news(service, counters) && service->status_at_ns < next)
		next = service->status_at_ns;
	return next;
}

int service_store(const struct succession *succession)
{
	char text[128];
	int sent;

	if (!succession->count)
		return 0;
	/* Without FDPOLL=0 a queue would leave the store at once: its writing end is closed. */
	snprintf(text, sizeof(text), "FDSTORE=1\nFDNAME=%s\nFDPOLL=0", STORE_NAME);
	sent = sd_pid_notify_with_fds(0, 0, text, succession->queues, succession->count);
	if (sent == 0)
		return -ENOTCONN;
	if (sent > 0)
		sent = sd_notify_barrier(0, STORE_PATIENCE_US);
	return sent < 0 ? sent : 0;
}

void service_unstore(const struct service *service)
{
	if (service->managed)
		sd_notifyf(0, "FDSTOREREMOVE=1\nFDNAME=%s", STORE_NAME);
}
