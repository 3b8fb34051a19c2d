/* SPDX-License-Identifier: MIT */
#include "lingerd/intake.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "lingerd/events.h"
#include "lingerd/intake_parts.h"
#include "lingerd/shortage.h"

static const uint64_t RETRY_NS = 10 * NS_PER_MS;

int intake_new(struct intake **ret, const struct intake_parts *parts)
{
	const struct limits *limits = parts->limits;
	uint32_t fd_numbers = limits->connections + limits->senders + limits->reserve;
	struct intake *intake = calloc(1, sizeof(*intake));
	int error;

	if (!intake)
		return -ENOMEM;
	intake->parts = *parts;
	error = senders_init(&intake->senders, fd_numbers);
	if (error)
		goto failed;
	error = events_add(parts->epoll, parts->listener, EVENT_LISTENER);
	if (error)
		goto failed;
	intake->listening = true;
	*ret = intake;
	return 0;
failed:
	intake_free(intake);
	return error;
}

void intake_free(struct intake *intake)
{
	if (!intake)
		return;
	senders_free(&intake->senders);
	free(intake);
}

bool intake_full(const struct intake *intake)
{
	return intake->parts.counters->lingers >= intake->parts.limits->connections;
}

bool intake_watch(struct intake *intake, int fd, enum event_source source)
{
	if (!events_add(intake->parts.epoll, fd, source))
		return true;
	intake->retry_at_ns = clock_now_ns() + RETRY_NS;
	return false;
}

void intake_forget(struct intake *intake, int fd)
{
	senders_remove(&intake->senders, fd);
	intake->parts.counters->senders--;
	close(fd);
	intake_listen_on(intake); /* there is room for one more */
}

void intake_hang_up(struct intake *intake, int fd)
{
	events_remove(intake->parts.epoll, fd);
	intake_forget(intake, fd);
}

void intake_leave(struct intake *intake, int fd)
{
	senders_leave(&intake->senders, fd);
	shutdown(fd, SHUT_RD);
}

/* Not at once when one has ended: pauses would be too short. */
static uint64_t resume_at(uint32_t most)
{
	return most - 1 - most / 16;
}

/* Lets all of them go on. Those that find no room again come back to the end of the queue. */
static void resume(struct intake *intake, struct queue *waiting)
{
	uint32_t fd;

	while (queue_first(waiting, &fd) && intake_watch(intake, (int)fd, EVENT_SENDER))
		senders_unpark(&intake->senders, (int)fd);
	intake_listen_on(intake); /* it may have found none to evict */
}

static void resume_users(struct intake *intake)
{
	const struct users *users = intake->parts.users;

	for (uint32_t i = 0; i < users->count && intake->senders.waiting_for_users; i++)
		if (intake->senders.waiting_by[i].first &&
		    users->list[i].open + users->list[i].elsewhere <=
			    resume_at(users->list[i].policy.max_per_user))
			resume(intake, &intake->senders.waiting_by[i]);
}

uint64_t intake_next_ns(const struct intake *intake)
{
	return intake->retry_at_ns ? intake->retry_at_ns : UINT64_MAX;
}

void intake_resume(struct intake *intake)
{
	bool retry = intake->retry_at_ns != 0;

	if (retry) {
		if (clock_now_ns() < intake->retry_at_ns)
			return;
		intake->retry_at_ns = 0;
		intake_listen_on(intake);
	}
	if (intake->senders.waiting_for_users)
		resume_users(intake);
	/* Some of them may wait to be watched only; the others come back at once. */
	if (intake->senders.waiting.first &&
	    (retry ||
	     intake->parts.counters->lingers <= resume_at(intake->parts.limits->connections)))
		resume(intake, &intake->senders.waiting);
}

void intake_settings_changed(struct intake *intake)
{
	for (uint32_t fd = 0; fd < intake->senders.size; fd++) {
		struct peer_process peer;

		if (intake->senders.list[fd].state & SENDER_PRESENT &&
		    !access_peer((int)fd, &peer) &&
		    !access_allows(&intake->parts.settings->access, (int)fd, &peer))
			intake_leave(intake, (int)fd);
	}
}

uint32_t intake_round(struct intake *intake, bool *ret_more)
{
	uint32_t messages = intake->messages;

	*ret_more = intake->more;
	intake->messages = 0;
	intake->more = false;
	return messages;
}

void intake_stop(struct intake *intake, enum intake_stop backlog)
{
	intake->stopping = true;
	if (backlog == INTAKE_LEAVE_BACKLOG) {
		intake->backlog_done = true;
		intake_listen_off(intake);
	} else {
		/* Connects are refused from now on, those made before are still there to accept. */
		shutdown(intake->parts.listener, SHUT_RD);
	}
	for (uint32_t fd = 0; fd < intake->senders.size; fd++)
		if (intake->senders.list[fd].state & SENDER_PRESENT)
			intake_leave(intake, (int)fd);
	if (backlog == INTAKE_CLOSE_BACKLOG)
		intake_listener_ready(intake);
}

bool intake_done(const struct intake *intake)
{
	return intake->backlog_done && !intake->parts.counters->senders;
}

void intake_go_on(struct intake *intake)
{
	intake->stopping = intake->backlog_done = false;
	intake_listen_on(intake);
}

static bool finish_sender(struct intake *intake, int fd, intake_room_fn *room, void *context,
			  int *waits)
{
	struct message message;

	for (;;) {
		if (intake_full(intake) && !room(context))
			return false;
		message = message_receive_last(fd, waits);
		if (message.kind == MESSAGE_NONE || message.kind == MESSAGE_END ||
		    message.kind == MESSAGE_LATER)
			break;
		intake_serve(intake, fd, &message);
	}
	intake_hang_up(intake, fd);
	return true;
}

bool intake_finish(struct intake *intake, intake_room_fn *room, void *context)
{
	int waits = 0;

	do {
		intake->more = false;
		for (uint32_t fd = 0; fd < intake->senders.size; fd++)
			if (intake->senders.list[fd].state & SENDER_PRESENT &&
			    !finish_sender(intake, (int)fd, room, context, &waits))
				return false;
		if (!intake->backlog_done)
			intake_listener_ready(intake);
		/* More have connected than fit into a turn, or accept() fails for lack of memory or files. */
	} while (intake->parts.counters->senders ||
		 (!intake->backlog_done && (intake->more || wait_out_shortage(-ENOMEM, &waits))));
	return true;
}
