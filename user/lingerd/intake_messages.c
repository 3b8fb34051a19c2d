/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <sys/socket.h>

#include "common/clock.h"
#include "lingerd/events.h"
#include "lingerd/intake_parts.h"

/* Of one sender, before the others have their turn. */
enum { MESSAGES_PER_TURN = 64 };

static bool user_is_full(const struct intake *intake, uint16_t user)
{
	const struct user *of = &intake->parts.users->list[user];

	return of->open >= of->policy.max_per_user;
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

void intake_answer(int fd, const char *text, size_t length)
{
	if (send(fd, text, length, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return;
}

static void answer_status(struct intake *intake, int fd)
{
	char text[COUNTERS_TEXT_MAX];

	intake->parts.counters->status_requests++;
	intake_answer(fd, text, counters_format(intake->parts.counters, text));
}

static void obey(struct intake *intake, int fd, enum linger_message_type command)
{
	static const char not_allowed[] = "error: commands are for root and the daemon's user\n";
	char text[COMMAND_ANSWER_SIZE];
	struct peer_process peer;

	if (access_peer(fd, &peer) || !access_commands(&peer)) {
		refuse(intake, fd, MESSAGE_COMMAND_NOT_ALLOWED);
		intake_answer(fd, not_allowed, strlen(not_allowed));
		return;
	}
	intake->parts.counters->commands++;
	intake->parts.command(intake->parts.command_context, fd, command, text);
	if (*text)
		intake_answer(fd, text, strlen(text));
}

void intake_serve(struct intake *intake, int fd, struct message *message)
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
	return intake_full(intake) ? SENDER_WAITS_FOR_ROOM : 0;
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
			intake_hang_up(intake, fd);
			return;
		}
		if (message.kind == MESSAGE_LATER) {
			intake->messages++; /* so that the loop rests, before epoll says the same again */
			return;
		}
		intake_serve(intake, fd, &message);
	}
	intake->more = true;
}
