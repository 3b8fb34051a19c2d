/* SPDX-License-Identifier: MIT */
#include "lingerd/shelf.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "lingerd/batch.h"
#include "lingerd/channel.h"
#include "lingerd/engine.h"
#include "lingerd/events.h"
#include "lingerd/sandbox.h"
#include "lingerd/socket_io.h"

enum {
	EVENTS_PER_ROUND = 256,
	/* Of the front, before those that linger have their turn. */
	MESSAGES_PER_TURN = 64,
};

struct shelf {
	int channel;
	struct ledger *ledger;
	struct settings settings;
	int epoll;
	struct socket_io io;
	struct linger_engine *engine;
	struct users users;
	struct counters counters;
	struct report report; /* of it, what is counted here and nowhere else */
	bool ended;
};

/* Signals are for the front, which says what is to be done; those to a whole group of processes reach us, too. */
static void leave_signals_to_front(void)
{
	static const int theirs[] = { SIGTERM, SIGINT, SIGHUP, SIGPIPE };

	for (size_t i = 0; i < sizeof(theirs) / sizeof(theirs[0]); i++)
		signal(theirs[i], SIG_IGN);
}

static int die_with_front(pid_t front)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL))
		return -errno;
	return getppid() == front ? 0 : -EPIPE;
}

/* Whoever has started the daemon may wait for the end of what it writes. */
static int leave_terminal(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return -errno;
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		dup2(null, fd);
	close(null);
	log_never_wait();
	return 0;
}

static int open_shelf(struct shelf *shelf, const struct shelf_parts *parts, struct problem *problem)
{
	int error = die_with_front(parts->front);

	leave_signals_to_front();
	prctl(PR_SET_NAME, "lingerd-shelf");
	if (!error && parts->background)
		error = leave_terminal();
	shelf->epoll = shelf->io.watches.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (!error && shelf->epoll < 0)
		error = -errno;
	if (!error)
		error = events_add(shelf->epoll, shelf->channel, EVENT_CHANNEL);
	if (!error)
		error = linger_engine_new(&shelf->engine, parts->fd_numbers, &socket_linger_io,
					  &shelf->io, &shelf->users, &shelf->counters);
	if (error) {
		problem_say(problem, "%s", strerror(-error));
		return error;
	}
	linger_engine_use_clients(shelf->engine, parts->clients);
	linger_engine_limit_clients(shelf->engine, shelf->settings.max_per_client);
	return shelf->settings.sandbox ? sandbox_enter(&shelf->settings, SANDBOX_SHELF, problem)
				       : 0;
}

static void reload(struct shelf *shelf, const struct settings *settings)
{
	shelf->settings = *settings;
	users_apply(&shelf->users, settings);
	linger_engine_policies_changed(shelf->engine);
	linger_engine_limit_clients(shelf->engine, settings->max_per_client);
}

/* Nobody gets the queues: it goes on with what is in them, as if that had never been there. */
static void take_back(struct shelf *shelf, struct succession *left)
{
	const struct limits limits = { .connections = UINT32_MAX };
	struct counters scratch = { 0 };
	uint32_t count = succession_take(left, shelf->engine, &shelf->users, &shelf->settings,
					 &limits, &scratch);

	shelf->counters.passed_on -= count;
}

static void publish(struct shelf *shelf)
{
	struct report *report = &shelf->report;

	report->counters = shelf->counters;
	report->counters.lingers_peak = 0; /* sums of it would be of different moments */
	report->times = *linger_engine_times(shelf->engine);
	report->oldest_ns = linger_engine_oldest_ns(shelf->engine);
	report->user_count = shelf->users.count;
	for (uint32_t i = 0; i < shelf->users.count; i++) {
		report->users[i].uid = shelf->users.list[i].uid;
		report->users[i].open = shelf->users.list[i].open;
	}
	ledger_publish(shelf->ledger, report);
}

static void leave(struct shelf *shelf, const struct channel_command *command)
{
	struct succession left = { .kept_free = command->kept_free };
	uint64_t before = shelf->counters.passed_on;
	struct channel_answer answer = { .kind = CHANNEL_LEFT };
	int error = succession_fill(&left, shelf->engine, command->most, &shelf->counters);

	succession_seal(&left);
	if (error)
		problem_say(&answer.problem, "%s", strerror(-error));
	answer.count = (uint32_t)(shelf->counters.passed_on - before);
	publish(shelf); /* whoever has the answer has our books of then */
	if (channel_answer(shelf->channel, &answer, &left))
		take_back(shelf, &left);
	succession_close(&left);
}

static void end(struct shelf *shelf)
{
	linger_engine_end_all(shelf->engine, LINGER_SHUTDOWN);
	shelf->ended = true;
}

static void obey(struct shelf *shelf)
{
	struct channel_command command;

	if (channel_hear(shelf->channel, &command))
		return;
	shelf->report.heard++;
	switch (command.kind) {
	case CHANNEL_RELOAD:
		reload(shelf, &command.settings);
		break;
	case CHANNEL_CLOSE_ALL:
		linger_engine_end_all(shelf->engine, LINGER_COMMAND);
		break;
	case CHANNEL_SHED:
		linger_engine_shed(shelf->engine);
		shelf->report.shed++;
		break;
	case CHANNEL_LEAVE:
		leave(shelf, &command);
		break;
	case CHANNEL_END:
		end(shelf);
		break;
	}
}

/* What the kernel did not hand over, for lack of descriptors, it has closed. */
static void adopt(struct shelf *shelf)
{
	uint16_t sent = batch_ahead(shelf->channel);
	struct batch batch;

	if (!sent || batch_receive(shelf->channel, &batch) <= 0)
		return; /* for lack of memory: it is still there */
	shelf->report.heard++;
	batch_adopt(&batch, shelf->engine, &shelf->users, &shelf->settings);
	shelf->counters.ended_lost += sent - batch.header.count;
	shelf->report.received += sent;
}

static void hear(struct shelf *shelf)
{
	for (int i = 0; i < MESSAGES_PER_TURN && !shelf->ended; i++) {
		switch (channel_look_ahead(shelf->channel)) {
		case CHANNEL_NOTHING:
			return;
		case CHANNEL_HUNG_UP:
			end(shelf);
			return;
		case CHANNEL_BATCH:
			adopt(shelf);
			break;
		case CHANNEL_COMMAND:
			obey(shelf);
			break;
		}
	}
}

static void work_through(struct shelf *shelf, const struct epoll_event *events, int count)
{
	uint64_t began = clock_now_ns();

	atomic_store(&shelf->ledger->due_ns, began);
	for (int i = 0; i < count; i++) {
		if (event_source(&events[i]) == EVENT_LINGER)
			linger_engine_ready(shelf->engine, event_fd(&events[i]));
		else
			hear(shelf);
	}
	linger_engine_expire(shelf->engine);
	metrics_observe(&shelf->report.rounds, clock_now_ns() - began);
}

static void linger(struct shelf *shelf)
{
	struct epoll_event events[EVENTS_PER_ROUND];

	while (!shelf->ended) {
		uint64_t next = linger_engine_next_ns(shelf->engine);
		int count;

		publish(shelf);
		atomic_store(&shelf->ledger->due_ns, next);
		count = epoll_wait(shelf->epoll, events, EVENTS_PER_ROUND, clock_ms_until(next));
		if (count < 0 && !events_wait_passes(errno))
			end(shelf);
		work_through(shelf, events, count);
	}
	publish(shelf);
}

void shelf_run(const struct shelf_parts *parts)
{
	static struct shelf shelf;
	struct channel_answer answer = { .kind = CHANNEL_READY };
	int error;

	shelf = (struct shelf){ .channel = parts->channel,
				.ledger = parts->ledger,
				.settings = *parts->settings,
				.io = { .drain_table = -1 } };
	shelf.report.rounds.bounds_ns = &metrics_bounds_of_work;
	error = open_shelf(&shelf, parts, &answer.problem);
	if (channel_answer(shelf.channel, &answer, NULL) || error)
		_exit(1);
	linger(&shelf);
	_exit(0);
}
