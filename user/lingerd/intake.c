/* SPDX-License-Identifier: MIT */
#include "lingerd/intake.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "lingerd/access.h"
#include "lingerd/events.h"
#include "lingerd/message.h"
#include "lingerd/refusal.h"
#include "lingerd/senders.h"
#include "lingerd/socket_io.h"

enum {
	/* Of one sender, before the others have their turn. */
	MESSAGES_PER_TURN = 64,
	ACCEPTS_PER_TURN = 64,
	/* Of max_connections, for those who are turned away. */
	TURNED_AWAY_PART = 8,
};

static const uint64_t RETRY_NS = 10 * NS_PER_MS;

struct intake {
	struct intake_parts parts;
	bool listening; /* the listener is in the epoll set */
	bool stopping;
	bool backlog_done;    /* stopping, and all that had connected have been accepted */
	bool more;	      /* a turn ended before the queue did */
	uint32_t messages;    /* in this round */
	uint64_t retry_at_ns; /* the kernel had no room to watch something; 0: it had */
	struct senders senders;
	struct refusals refusals;
};

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

static bool full(const struct intake *intake)
{
	return intake->parts.counters->lingers >= intake->parts.limits->connections;
}

static bool user_is_full(const struct intake *intake, uint16_t user)
{
	const struct user *of = &intake->parts.users->list[user];

	return of->open >= of->policy.max_per_user;
}

/* Not at once when one has ended: pauses would be too short. */
static uint64_t resume_at(uint32_t most)
{
	return most - 1 - most / 16;
}

/* Whether the fd is watched now; else it will be tried again. */
static bool watch(struct intake *intake, int fd, enum event_source source)
{
	if (!events_add(intake->parts.epoll, fd, source))
		return true;
	intake->retry_at_ns = clock_now_ns() + RETRY_NS;
	return false;
}

static void listen_on(struct intake *intake)
{
	if (!intake->listening && !intake->backlog_done)
		intake->listening = watch(intake, intake->parts.listener, EVENT_LISTENER);
}

static void listen_off(struct intake *intake)
{
	if (intake->listening)
		events_remove(intake->parts.epoll, intake->parts.listener);
	intake->listening = false;
}

static void forget(struct intake *intake, int fd)
{
	senders_remove(&intake->senders, fd);
	intake->parts.counters->senders--;
	close(fd);
	listen_on(intake); /* there is room for one more */
}

static void hang_up(struct intake *intake, int fd)
{
	events_remove(intake->parts.epoll, fd);
	forget(intake, fd);
}

static void park(struct intake *intake, int fd, enum sender_state reason)
{
	/* Out of the set altogether: one that has hung up would be reported over and over. */
	events_remove(intake->parts.epoll, fd);
	if (reason == SENDER_WAITS_FOR_USER)
		intake->parts.counters->user_pauses++;
	else if (!intake->senders.waiting.first)
		intake->parts.counters->intake_pauses++;
	senders_park(&intake->senders, fd, reason);
}

static void refuse(struct intake *intake, int fd, enum message_kind kind)
{
	struct peer_process peer = { .pid = 0 };

	access_peer(fd, &peer);
	refusal_note(&intake->refusals, intake->parts.counters, kind, &peer, clock_now_ns());
}

/* Who asks and does not read misses the answer. */
static void answer(int fd, const char *text, size_t length)
{
	if (send(fd, text, length, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return;
}

static void answer_status(struct intake *intake, int fd)
{
	char text[COUNTERS_TEXT_MAX];

	intake->parts.counters->status_requests++;
	answer(fd, text, counters_format(intake->parts.counters, text));
}

static void obey(struct intake *intake, int fd, enum linger_message_type command)
{
	static const char not_allowed[] = "error: commands are for root and the daemon's user\n";
	char text[COMMAND_ANSWER_SIZE];
	struct peer_process peer;

	if (access_peer(fd, &peer) || !access_commands(&peer)) {
		refuse(intake, fd, MESSAGE_COMMAND_NOT_ALLOWED);
		answer(fd, not_allowed, strlen(not_allowed));
		return;
	}
	intake->parts.counters->commands++;
	intake->parts.command(intake->parts.command_context, fd, command, text);
	if (*text)
		answer(fd, text, strlen(text));
}

static void serve(struct intake *intake, int fd, struct message *message)
{
	intake->messages++;
	switch (message->kind) {
	case MESSAGE_HANDOFF:
		message->handoff.user = intake->senders.list[fd].user;
		linger_engine_take(intake->parts.engine, message->fd, &message->handoff);
		break;
	case MESSAGE_STATUS:
		answer_status(intake, fd);
		break;
	case MESSAGE_COMMAND:
		obey(intake, fd, message->command);
		break;
	default:
		refuse(intake, fd, message->kind);
	}
}

/* Whether a message with fds could not be taken now; 0: it could. */
static enum sender_state obstacle_for(const struct intake *intake, int fd)
{
	if (user_is_full(intake, intake->senders.list[fd].user))
		return SENDER_WAITS_FOR_USER;
	return full(intake) ? SENDER_WAITS_FOR_ROOM : 0;
}

/* Makes room for the message with fds that comes next, or parks its sender. */
static bool make_room(struct intake *intake, int fd, enum sender_state obstacle)
{
	if (obstacle == SENDER_WAITS_FOR_ROOM &&
	    intake->parts.settings->when_full == FULL_SHED_OLDEST) {
		linger_engine_shed(intake->parts.engine);
		return true;
	}
	park(intake, fd, obstacle);
	return false;
}

void intake_sender_ready(struct intake *intake, int fd)
{
	if (!senders_readable(&intake->senders, fd))
		return;
	senders_touch(&intake->senders, fd);
	for (int i = 0; i < MESSAGES_PER_TURN; i++) {
		enum sender_state obstacle = obstacle_for(intake, fd);
		enum message_ahead ahead = AHEAD_WITHOUT_FDS;
		struct message message;

		if (obstacle)
			ahead = message_look_ahead(fd);
		/* What comes after this look may carry fds: it has to be looked at, too. */
		if (ahead == AHEAD_NONE)
			return;
		if (ahead == AHEAD_WITH_FDS && !make_room(intake, fd, obstacle))
			return;
		message = message_receive(fd);
		if (message.kind == MESSAGE_NONE)
			return;
		if (message.kind == MESSAGE_END) {
			hang_up(intake, fd);
			return;
		}
		if (message.kind == MESSAGE_LATER) {
			intake->messages++; /* so that the loop rests, before epoll says the same again */
			return;
		}
		serve(intake, fd, &message);
	}
	intake->more = true;
}

static void leave(struct intake *intake, int fd)
{
	senders_leave(&intake->senders, fd);
	shutdown(fd, SHUT_RD);
}

/* The sender silent for longest makes room, unless it has too much to say before it goes. */
static void evict(struct intake *intake)
{
	uint32_t fd;

	if (!senders_silent(&intake->senders, &fd))
		return;
	intake->parts.counters->senders_evicted++;
	leave(intake, (int)fd);
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

	if (intake->parts.users->list[user].open >= most || full(intake)) {
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
	struct message message;

	intake->messages++;
	refusal_note(&intake->refusals, intake->parts.counters, MESSAGE_SENDER_NOT_ALLOWED, peer,
		     clock_now_ns());
	answer(fd, not_allowed, strlen(not_allowed));
	shutdown(fd, SHUT_RD);
	for (;;) {
		message = message_receive_last(fd);
		if (message.kind == MESSAGE_NONE || message.kind == MESSAGE_END ||
		    message.kind == MESSAGE_LATER)
			break;
		if (message.kind == MESSAGE_HANDOFF)
			take_turned_away(intake, &message);
	}
	close(fd);
}

static void admit(struct intake *intake, int fd)
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
	if (!watch(intake, fd, EVENT_SENDER))
		senders_park(&intake->senders, fd, SENDER_WAITS_FOR_ROOM);
	if (intake->stopping)
		leave(intake, fd);
}

static void accept_failed(struct intake *intake, int error)
{
	if (error == EAGAIN || error == EINVAL) {
		intake->backlog_done = intake->stopping;
		if (intake->backlog_done)
			listen_off(intake);
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
			listen_off(intake); /* until one has gone */
			return;
		}
		fd = accept4(intake->parts.listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			admit(intake, fd);
			continue;
		}
		if (errno == ECONNABORTED || errno == EINTR)
			continue;
		accept_failed(intake, errno);
		return;
	}
	intake->more = true;
}

/* Lets all of them go on. Those that find no room again come back to the end of the queue. */
static void resume(struct intake *intake, struct queue *waiting)
{
	uint32_t fd;

	while (queue_first(waiting, &fd) && watch(intake, (int)fd, EVENT_SENDER))
		senders_unpark(&intake->senders, (int)fd);
	listen_on(intake); /* it may have found none to evict */
}

static void resume_users(struct intake *intake)
{
	const struct users *users = intake->parts.users;

	for (uint32_t i = 0; i < users->count && intake->senders.waiting_for_users; i++)
		if (intake->senders.waiting_by[i].first &&
		    users->list[i].open <= resume_at(users->list[i].policy.max_per_user))
			resume(intake, &intake->senders.waiting_by[i]);
}

uint64_t intake_next_ns(const struct intake *intake)
{
	return intake->retry_at_ns ? intake->retry_at_ns : UINT64_MAX;
}

void intake_resume(struct intake *intake)
{
	if (intake->retry_at_ns) {
		if (clock_now_ns() < intake->retry_at_ns)
			return;
		intake->retry_at_ns = 0;
		listen_on(intake);
	}
	if (intake->senders.waiting_for_users)
		resume_users(intake);
	if (intake->senders.waiting.first &&
	    intake->parts.counters->lingers <= resume_at(intake->parts.limits->connections))
		resume(intake, &intake->senders.waiting);
}

void intake_settings_changed(struct intake *intake)
{
	for (uint32_t fd = 0; fd < intake->senders.size; fd++) {
		struct peer_process peer;

		if (intake->senders.list[fd].state & SENDER_PRESENT &&
		    !access_peer((int)fd, &peer) &&
		    !access_allows(&intake->parts.settings->access, (int)fd, &peer))
			leave(intake, (int)fd);
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
		listen_off(intake);
	} else {
		/* Connects are refused from now on, those made before are still there to accept. */
		shutdown(intake->parts.listener, SHUT_RD);
	}
	for (uint32_t fd = 0; fd < intake->senders.size; fd++)
		if (intake->senders.list[fd].state & SENDER_PRESENT)
			leave(intake, (int)fd);
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
	listen_on(intake);
}

static void finish_sender(struct intake *intake, int fd, intake_room_fn *room, void *context)
{
	struct message message;

	for (;;) {
		if (full(intake))
			room(context);
		message = message_receive_last(fd);
		if (message.kind == MESSAGE_NONE || message.kind == MESSAGE_END ||
		    message.kind == MESSAGE_LATER)
			break;
		serve(intake, fd, &message);
	}
	hang_up(intake, fd);
}

void intake_finish(struct intake *intake, intake_room_fn *room, void *context)
{
	do {
		for (uint32_t fd = 0; fd < intake->senders.size; fd++)
			if (intake->senders.list[fd].state & SENDER_PRESENT)
				finish_sender(intake, (int)fd, room, context);
		if (!intake->backlog_done)
			intake_listener_ready(intake);
	} while (intake->parts.counters->senders);
}
