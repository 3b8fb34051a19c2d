/* SPDX-License-Identifier: MIT */
#include "lingerd/intake.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "lingerd/events.h"
#include "lingerd/message.h"
#include "lingerd/queue.h"
#include "lingerd/refusal.h"

enum {
	/* Of one sender, before the others have their turn. */
	MESSAGES_PER_TURN = 64,
	ACCEPTS_PER_TURN = 64,
};

/* Flags. A parked sender is present, and in the queue of that name. */
enum sender_state {
	SENDER_PRESENT = 1 << 0,
	SENDER_LEAVING = 1 << 1,
};

struct intake {
	int epoll;
	int listener;
	bool listening; /* the listener is in the epoll set */
	bool stopping;
	bool backlog_done; /* stopping, and all that had connected have been accepted */
	bool more;	   /* a turn ended before the queue did */
	uint32_t messages; /* in this round */
	uint32_t senders_max;
	uint32_t connections_max;
	uint32_t resume_at;  /* lingers; below connections_max, so that pauses are not too short */
	struct queue active; /* in the order of last use */
	struct queue parked;
	uint8_t *states; /* by fd: enum sender_state */
	struct linger_engine *engine;
	struct counters *counters;
	struct refusals refusals;
};

int intake_new(struct intake **ret, int epoll, int listener, const struct limits *limits,
	       struct linger_engine *engine, struct counters *counters)
{
	uint32_t fd_numbers = limits->connections + limits->senders + limits->reserve;
	struct intake *intake = calloc(1, sizeof(*intake));
	int error = -ENOMEM;

	if (!intake)
		return error;
	intake->epoll = epoll;
	intake->listener = listener;
	intake->engine = engine;
	intake->counters = counters;
	intake->senders_max = limits->senders;
	intake->connections_max = limits->connections;
	intake->resume_at = limits->connections - 1 - limits->connections / 16;
	intake->states = calloc(fd_numbers, sizeof(*intake->states));
	intake->active.size = intake->parked.size = fd_numbers;
	intake->active.links = calloc(fd_numbers, sizeof(*intake->active.links));
	intake->parked.links = calloc(fd_numbers, sizeof(*intake->parked.links));
	if (!intake->states || !intake->active.links || !intake->parked.links)
		goto failed;
	error = events_add(epoll, listener, EVENT_LISTENER);
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
	free(intake->active.links);
	free(intake->parked.links);
	free(intake->states);
	free(intake);
}

static bool full(const struct intake *intake)
{
	return intake->counters->lingers >= intake->connections_max;
}

static void listen_on(struct intake *intake)
{
	if (!intake->listening && !intake->backlog_done)
		intake->listening = !events_add(intake->epoll, intake->listener, EVENT_LISTENER);
}

static void listen_off(struct intake *intake)
{
	if (intake->listening)
		events_remove(intake->epoll, intake->listener);
	intake->listening = false;
}

static void forget(struct intake *intake, int fd)
{
	if (queue_has(&intake->active, (uint32_t)fd))
		queue_remove(&intake->active, (uint32_t)fd);
	if (queue_has(&intake->parked, (uint32_t)fd))
		queue_remove(&intake->parked, (uint32_t)fd);
	intake->states[fd] = 0;
	intake->counters->senders--;
	close(fd);
	listen_on(intake); /* there is room for one more */
}

static void hang_up(struct intake *intake, int fd)
{
	events_remove(intake->epoll, fd);
	forget(intake, fd);
}

static void park(struct intake *intake, int fd)
{
	/* Out of the set altogether: one that has hung up would be reported over and over. */
	events_remove(intake->epoll, fd);
	if (queue_has(&intake->active, (uint32_t)fd))
		queue_remove(&intake->active, (uint32_t)fd);
	if (!intake->parked.first)
		intake->counters->intake_pauses++;
	queue_add(&intake->parked, (uint32_t)fd);
}

static void answer_status(struct intake *intake, int fd)
{
	char text[COUNTERS_TEXT_MAX];
	size_t length;

	intake->counters->status_requests++;
	length = counters_format(intake->counters, text);
	/* Who asks and does not read misses the answer. */
	if (send(fd, text, length, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return;
}

static void serve(struct intake *intake, int fd, const struct message *message)
{
	intake->messages++;
	if (message->kind == MESSAGE_HANDOFF)
		linger_engine_take(intake->engine, message->fd, &message->handoff);
	else if (message->kind == MESSAGE_STATUS)
		answer_status(intake, fd);
	else
		refusal_note(&intake->refusals, intake->counters, message->kind, fd,
			     clock_now_ns());
}

void intake_sender_ready(struct intake *intake, int fd)
{
	if (!(intake->states[fd] & SENDER_PRESENT) || queue_has(&intake->parked, (uint32_t)fd))
		return;
	if (queue_has(&intake->active, (uint32_t)fd))
		queue_move_to_end(&intake->active, (uint32_t)fd);
	for (int i = 0; i < MESSAGES_PER_TURN; i++) {
		enum message_ahead ahead = AHEAD_WITHOUT_FDS;
		struct message message;

		if (full(intake))
			ahead = message_look_ahead(fd);
		/* What comes after this look may carry fds: it has to be looked at, too. */
		if (ahead == AHEAD_NONE)
			return;
		if (ahead == AHEAD_WITH_FDS) {
			park(intake, fd);
			return;
		}
		message = message_receive(fd);
		if (message.kind == MESSAGE_NONE)
			return;
		if (message.kind == MESSAGE_END) {
			hang_up(intake, fd);
			return;
		}
		serve(intake, fd, &message);
	}
	intake->more = true;
}

static void leave(struct intake *intake, int fd)
{
	if (queue_has(&intake->active, (uint32_t)fd))
		queue_remove(&intake->active, (uint32_t)fd);
	intake->states[fd] |= SENDER_LEAVING;
	shutdown(fd, SHUT_RD);
}

/* The sender silent for longest makes room, unless it has too much to say before it goes. */
static void evict(struct intake *intake)
{
	uint32_t fd;

	/* The last active one is the newcomer, when all others are parked. */
	if (intake->active.first == intake->active.last || !queue_first(&intake->active, &fd))
		return;
	intake->counters->senders_evicted++;
	leave(intake, (int)fd);
	intake_sender_ready(intake, (int)fd);
}

static void admit(struct intake *intake, int fd)
{
	if ((uint32_t)fd >= intake->active.size || events_add(intake->epoll, fd, EVENT_SENDER)) {
		close(fd);
		return;
	}
	intake->states[fd] = SENDER_PRESENT;
	intake->counters->senders++;
	if (intake->stopping)
		leave(intake, fd);
	else
		queue_add(&intake->active, (uint32_t)fd);
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
		if (intake->counters->senders > intake->senders_max)
			evict(intake);
		if (intake->counters->senders > intake->senders_max) {
			listen_off(intake); /* until one has gone */
			return;
		}
		fd = accept4(intake->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
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

void intake_resume(struct intake *intake)
{
	uint32_t fd;

	if (intake->counters->lingers > intake->resume_at)
		return;
	if (!intake->parked.first)
		return;
	while (queue_first(&intake->parked, &fd)) {
		queue_remove(&intake->parked, fd);
		if (events_add(intake->epoll, (int)fd, EVENT_SENDER))
			forget(intake, (int)fd);
		else if (!(intake->states[fd] & SENDER_LEAVING))
			queue_add(&intake->active, fd);
	}
	listen_on(intake); /* it may have found none to evict */
}

uint32_t intake_round(struct intake *intake, bool *ret_more)
{
	uint32_t messages = intake->messages;

	*ret_more = intake->more;
	intake->messages = 0;
	intake->more = false;
	return messages;
}

void intake_stop(struct intake *intake)
{
	uint32_t fd;

	intake->stopping = true;
	/* Connects are refused from now on, those made before are still there to accept. */
	shutdown(intake->listener, SHUT_RD);
	while (queue_first(&intake->active, &fd))
		leave(intake, (int)fd);
	for (uint32_t i = intake->parked.first; i; i = intake->parked.links[i - 1].next)
		leave(intake, (int)i - 1);
	intake_listener_ready(intake);
}

bool intake_done(const struct intake *intake)
{
	return intake->backlog_done && !intake->counters->senders;
}

static void cut_sender(struct intake *intake, int fd)
{
	struct message message;

	shutdown(fd, SHUT_RD);
	for (;;) {
		message = message_receive(fd);
		if (message.kind == MESSAGE_NONE || message.kind == MESSAGE_END)
			break;
		serve(intake, fd, &message);
		linger_engine_end_all(intake->engine);
	}
	hang_up(intake, fd);
}

void intake_cut(struct intake *intake)
{
	linger_engine_end_all(intake->engine); /* makes room for what follows, one by one */
	do {
		for (uint32_t fd = 0; fd < intake->active.size; fd++)
			if (intake->states[fd] & SENDER_PRESENT)
				cut_sender(intake, (int)fd);
		intake_listener_ready(intake);
	} while (intake->counters->senders);
}
