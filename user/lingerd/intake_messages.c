/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <sys/socket.h>

#include "common/clock.h"
#include "lingerd/events.h"
#include "lingerd/intake_parts.h"

/* Of one sender, before the others have their turn. */
enum { MESSAGES_PER_TURN = 64 };

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* Both may have been lowered below what there is. */
static uint32_t room_below(uint64_t most, uint64_t count)
{
	return most <= count		   ? 0
	       : most - count < UINT32_MAX ? (uint32_t)(most - count)
					   : UINT32_MAX;
}

static uint32_t room_of_user(const struct intake *intake, uint16_t user)
{
	const struct user *of = &intake->parts.users->list[user];

	return room_below(of->policy.max_per_user, (uint64_t)of->open + of->elsewhere);
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
	const struct counters *counters = intake->parts.counters;
	char text[COUNTERS_TEXT_MAX];

	intake->parts.counters->status_requests++;
	if (intake->parts.totals)
		counters = intake->parts.totals(intake->parts.context);
	intake_answer(fd, text, counters_format(counters, text));
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
	intake->parts.command(intake->parts.context, fd, command, text);
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

/* How many more connections this sender may hand over; of none, *ret_obstacle says why. */
static uint32_t room_for(const struct intake *intake, int fd, enum sender_state *ret_obstacle)
{
	uint32_t of_user = room_of_user(intake, intake->senders.list[fd].user);
	uint32_t of_all =
		room_below(intake->parts.limits->connections, intake->parts.counters->lingers);

	*ret_obstacle = of_user ? SENDER_WAITS_FOR_ROOM : SENDER_WAITS_FOR_USER;
	return least(of_user, of_all);
}

/*
 * How many messages may be received at once: all fds that may come with them have to find a number. Those that do not, the
 * kernel closes in our name, and waits as long as their SO_LINGER says. Nobody connects meanwhile, so numbers kept for senders
 * are free, too.
 */
static uint32_t receivable(const struct intake *intake)
{
	const struct limits *limits = intake->parts.limits;
	const struct counters *counters = intake->parts.counters;
	uint64_t numbers = (uint64_t)limits->spare +
			   room_below(limits->connections, counters->lingers) +
			   room_below(limits->senders, counters->senders);

	if (numbers < 2 * MESSAGE_FDS_MAX)
		return 1;
	return numbers < MESSAGE_BATCH * MESSAGE_FDS_MAX ? (uint32_t)numbers / MESSAGE_FDS_MAX
							 : MESSAGE_BATCH;
}

/* Makes room for the message with fds that comes next, or parks its sender. */
static bool make_room(struct intake *intake, int fd, enum sender_state obstacle)
{
	if (obstacle == SENDER_WAITS_FOR_ROOM &&
	    intake->parts.settings->when_full == FULL_SHED_OLDEST) {
		if (intake->parts.shed)
			intake->parts.shed(intake->parts.context);
		else
			linger_engine_shed(intake->parts.engine);
		return true;
	}
	park(intake, fd, obstacle);
	return false;
}

/* How many messages may be received now. 0: what comes next has to wait, or there is nothing. */
static uint32_t acceptable(struct intake *intake, int fd)
{
	enum sender_state obstacle;
	uint32_t room = room_for(intake, fd, &obstacle);
	enum message_ahead ahead;

	if (room)
		return room;
	ahead = message_look_ahead(fd);
	/* What comes after this look may carry fds: it has to be looked at, too. */
	if (ahead == AHEAD_NONE)
		return 0;
	return ahead == AHEAD_WITHOUT_FDS || make_room(intake, fd, obstacle);
}

/* The handoffs at the beginning. How many they are. */
static int take_handoffs(struct intake *intake, int fd, struct message *messages, int count)
{
	struct handoff handoffs[MESSAGE_BATCH];
	int fds[MESSAGE_BATCH], taken = 0;

	while (taken < count && messages[taken].kind == MESSAGE_HANDOFF) {
		fds[taken] = messages[taken].fd;
		handoffs[taken] = messages[taken].handoff;
		handoffs[taken++].user = intake->senders.list[fd].user;
	}
	if (taken)
		linger_engine_take_all(intake->parts.engine, fds, handoffs, taken);
	intake->messages += (uint32_t)taken;
	return taken;
}

/* Whether the sender may have more to say. */
static bool take_messages(struct intake *intake, int fd, struct message *messages, int count)
{
	for (int i = 0; i < count; i++) {
		i += take_handoffs(intake, fd, &messages[i], count - i);
		if (i == count)
			return true;
		switch (messages[i].kind) {
		case MESSAGE_NONE:
			return false;
		case MESSAGE_END:
			intake_hang_up(intake, fd);
			return false;
		case MESSAGE_LATER:
			/* So that the loop rests, before epoll says the same again. */
			intake->messages++;
			return false;
		default:
			intake_serve(intake, fd, &messages[i]);
		}
	}
	return true;
}

void intake_sender_ready(struct intake *intake, int fd)
{
	struct message messages[MESSAGE_BATCH];
	uint32_t left = MESSAGES_PER_TURN;

	if (!senders_readable(&intake->senders, fd))
		return;
	senders_touch(&intake->senders, fd);
	while (left) {
		uint32_t most = least(least(acceptable(intake, fd), left), receivable(intake));
		int count;

		if (!most)
			return;
		count = message_receive_batch(fd, messages, (int)most);
		if (!take_messages(intake, fd, messages, count) || (uint32_t)count < most)
			return;
		left -= (uint32_t)count;
	}
	intake->more = true;
}
