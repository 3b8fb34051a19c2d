/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "lingerd/access.h"
#include "lingerd/events.h"
#include "lingerd/intake_parts.h"
#include "lingerd/shortage.h"
#include "lingerd/socket_io.h"

enum {
	ACCEPTS_PER_TURN = 64,
	/* Of max_connections, for those who are turned away. */
	TURNED_AWAY_PART = 8,
};

void intake_listen_on(struct intake *intake)
{
	if (!intake->listening && !intake->backlog_done)
		intake->listening = intake_watch(intake, intake->parts.listener, EVENT_LISTENER);
}

void intake_listen_off(struct intake *intake)
{
	if (intake->listening)
		events_remove(intake->parts.epoll, intake->parts.listener);
	intake->listening = false;
}

/* The sender silent for longest makes room, unless it has too much to say before it goes. */
static void evict(struct intake *intake)
{
	uint32_t fd;

	if (!senders_silent(&intake->senders, &fd))
		return;
	intake->parts.counters->senders_evicted++;
	intake_leave(intake, (int)fd);
	intake_sender_ready(intake, (int)fd);
}

/*
 * Who is turned away has connected, and may have handed over, before it could know. The responses
 * of that are not lost either, as long as they take no more than a small part of the room.
 */
static void take_turned_away(struct intake *intake, struct message *message)
{
	uint16_t user = users_turned_away(intake->parts.users, intake->parts.settings);
	uint32_t most = intake->parts.limits->connections / TURNED_AWAY_PART;

	if (intake->parts.users->list[user].open >= most || intake_full(intake)) {
		intake->parts.counters->refused_access++;
		socket_refuse(message->fd);
		return;
	}
	message->handoff.user = user;
	linger_engine_take(intake->parts.engine, message->fd, &message->handoff);
}

/* It takes no place among the senders: nothing can be added to its queue, which is read to its end. */
static void turn_away(struct intake *intake, int fd, const struct peer_process *peer)
{
	static const char not_allowed[] = LINGER_TURNED_AWAY
		"the daemon's allow-users and allow-groups do not name this process's user\n";
	int waits = SHORTAGE_WAITS - 5; /* others wait meanwhile */
	struct message message;

	intake->messages++;
	refusal_note(&intake->refusals, intake->parts.counters, MESSAGE_SENDER_NOT_ALLOWED, peer,
		     clock_now_ns());
	intake_answer(fd, not_allowed, strlen(not_allowed));
	shutdown(fd, SHUT_RD);
	for (;;) {
		message = message_receive_last(fd, &waits);
		if (message.kind == MESSAGE_NONE || message.kind == MESSAGE_END ||
		    message.kind == MESSAGE_LATER)
			break;
		if (message.kind == MESSAGE_HANDOFF)
			take_turned_away(intake, &message);
	}
	close(fd);
}

void intake_admit(struct intake *intake, int fd)
{
	const struct settings *settings = intake->parts.settings;
	struct peer_process peer;

	if ((uint32_t)fd >= intake->senders.size || access_peer(fd, &peer)) {
		close(fd);
		return;
	}
	if (!access_allows(&settings->access, fd, &peer)) {
		turn_away(intake, fd, &peer);
		return;
	}
	senders_add(&intake->senders, fd, users_find(intake->parts.users, settings, peer.uid));
	intake->parts.counters->senders++;
	/* What it has sent already must not be lost. */
	if (!intake_watch(intake, fd, EVENT_SENDER))
		senders_park(&intake->senders, fd, SENDER_WAITS_FOR_ROOM);
	if (intake->stopping)
		intake_leave(intake, fd);
}

static void accept_failed(struct intake *intake, int error)
{
	if (error == EAGAIN || error == EINVAL) {
		intake->backlog_done = intake->stopping;
		if (intake->backlog_done)
			intake_listen_off(intake);
		return;
	}
	/* The system is short of files or memory, and epoll will say so again at once. Counting
	 * it as a message makes the loop rest between the attempts. */
	intake->messages++;
}

void intake_listener_ready(struct intake *intake)
{
	for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
		int fd;

		/* One more than there may be, so that nobody is evicted for nobody. */
		if (intake->parts.counters->senders > intake->parts.limits->senders)
			evict(intake);
		if (intake->parts.counters->senders > intake->parts.limits->senders) {
			intake_listen_off(intake); /* until one has gone */
			return;
		}
		fd = accept4(intake->parts.listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			intake_admit(intake, fd);
			continue;
		}
		if (errno == ECONNABORTED || errno == EINTR)
			continue;
		accept_failed(intake, errno);
		return;
	}
	intake->more = true;
}
