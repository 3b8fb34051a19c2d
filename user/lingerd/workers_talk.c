/* SPDX-License-Identifier: MIT */
#include "lingerd/workers_parts.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "lingerd/batch.h"
#include "lingerd/channel.h"

enum { BATCH_MOVED = 32 };

static const uint64_t ANSWER_NS = 5 * NS_PER_S;
static const uint64_t LOOK_NS = 50 * NS_PER_MS;
static const uint64_t MOVE_NS = 1 * NS_PER_MS;

/* -- What is said to them -- */

static void note_said(struct worker *worker)
{
	if (worker->said++ == worker->report.heard)
		worker->unheard_since_ns = clock_now_ns();
}

static bool tell(struct worker *worker, const struct channel_command *command)
{
	int error = worker_is_there(worker) ? channel_tell(worker->channel, command) : -EPIPE;

	if (!error)
		note_said(worker);
	else if (error != -EPIPE && error != -ECONNRESET)
		log_error("a worker, process %d, takes no command: %s", (int)worker->pid,
			  strerror(-error));
	return !error;
}

static void tell_all(struct workers *workers, const struct channel_command *command)
{
	for (uint32_t i = 0; i < workers->count; i++)
		tell(&workers->list[i], command);
}

void workers_reload(struct workers *workers, const struct settings *settings)
{
	tell_all(workers,
		 &(struct channel_command){ .kind = CHANNEL_RELOAD, .settings = *settings });
}

void workers_close_all(struct workers *workers)
{
	tell_all(workers, &(struct channel_command){ .kind = CHANNEL_CLOSE_ALL });
}

bool workers_shed(struct workers *workers, uint64_t than_ns)
{
	struct worker *oldest = NULL;

	for (uint32_t i = 0; i < workers->count; i++) {
		struct worker *worker = &workers->list[i];

		if (worker_is_there(worker) && worker->report.oldest_ns < than_ns &&
		    worker->report.counters.lingers > worker->sheds - worker->report.shed) {
			than_ns = worker->report.oldest_ns;
			oldest = worker;
		}
	}
	if (!oldest || !tell(oldest, &(struct channel_command){ .kind = CHANNEL_SHED }))
		return false;
	oldest->sheds++;
	return true;
}

/* How many it may be sent now. */
static uint64_t takes(const struct workers *workers, const struct worker *worker)
{
	uint64_t lingers = worker_lingers(worker), way = worker_on_its_way(worker);
	uint64_t room, credit;

	if (!worker_is_there(worker) || lingers >= workers->room || way >= workers->credit)
		return 0;
	room = workers->room - lingers;
	credit = workers->credit - way;
	return room < credit ? room : credit;
}

/* Of those that take some, the emptiest. NULL: there is none. */
static struct worker *emptiest(struct workers *workers)
{
	struct worker *found = NULL;

	for (uint32_t i = 0; i < workers->count; i++) {
		struct worker *worker = &workers->list[i];

		if (takes(workers, worker) &&
		    (!found || worker_lingers(worker) < worker_lingers(found)))
			found = worker;
	}
	return found;
}

/* Whether that was possible; what was not moved lingers on here. */
static bool move_to(struct worker *worker, struct linger_engine *engine, uint64_t most)
{
	struct batch batch;

	batch_collect(&batch, engine, most < BATCH_MOVED ? (uint16_t)most : BATCH_MOVED);
	if (batch_send(worker->channel, &batch)) {
		batch_return(&batch, engine);
		return false;
	}
	batch_close(&batch); /* the channel has its own */
	note_said(worker);
	worker->sent += batch.header.count;
	return true;
}

void workers_move(struct workers *workers, struct linger_engine *engine,
		  const struct counters *counters, uint64_t keep)
{
	struct worker *worker;

	while (counters->lingers > keep && (worker = emptiest(workers)))
		if (!move_to(worker, engine, takes(workers, worker)))
			return;
}

/* Ends are told by nobody, but looked for. Who takes its time is not asked all the time. */
uint64_t workers_next_ns(const struct workers *workers, bool wants)
{
	uint64_t now = clock_now_ns(), next = UINT64_MAX;

	for (uint32_t i = 0; i < workers->count; i++) {
		const struct worker *worker = &workers->list[i];

		if (!worker_is_there(worker) ||
		    (!worker_lingers(worker) && worker->said == worker->report.heard))
			continue;
		next = now + LOOK_NS;
		if (wants && worker_lingers(worker) < workers->room &&
		    worker_hears(worker, now, LOOK_NS))
			return now + MOVE_NS;
	}
	return next;
}

/* -- What they answer -- */

static void append(struct succession *to, struct succession *from)
{
	while (from->count && to->count < SUCCESSION_QUEUES_MAX)
		to->queues[to->count++] = from->queues[--from->count];
	succession_close(from); /* never, as it was told how many there may be */
}

/* 0: *ret_count connections have been added to *left. -EAGAIN: there is no answer yet. Another error: it has died. */
static int take_answer(struct workers *workers, struct worker *worker, struct succession *left,
		       uint32_t *ret_count)
{
	struct channel_answer answer;
	struct succession queues;
	int error = channel_get_answer(worker->channel, &answer, &queues);

	if (error) {
		succession_close(&queues);
		if (error != -EAGAIN)
			worker_bury(workers, worker);
		return error;
	}
	append(left, &queues);
	*ret_count = answer.count;
	if (*answer.problem.text)
		log_warning("a worker, process %d, keeps some of its connections: %s",
			    (int)worker->pid, answer.problem.text);
	return 0;
}

void workers_ready(struct workers *workers, int channel, struct succession *left)
{
	uint32_t count;

	for (uint32_t i = 0; i < workers->count; i++)
		if (workers->list[i].channel == channel)
			take_answer(workers, &workers->list[i], left, &count);
}

bool worker_says_something(const struct worker *worker, uint64_t until_ns)
{
	struct pollfd word = { .fd = worker->channel, .events = POLLIN };
	int ready;

	do
		ready = poll(&word, 1, clock_ms_until(until_ns));
	while (ready < 0 && errno == EINTR);
	return ready > 0;
}

void workers_leave(struct workers *workers, struct succession *left, uint64_t most)
{
	uint64_t until_ns = clock_now_ns() + ANSWER_NS;

	for (uint32_t i = 0; i < workers->count && most; i++) {
		struct worker *worker = &workers->list[i];
		const struct channel_command command = { .kind = CHANNEL_LEAVE,
							 .kept_free = left->count,
							 .most = most };
		uint32_t count = 0;

		if (tell(worker, &command) && worker_says_something(worker, until_ns))
			take_answer(workers, worker, left, &count);
		most -= count < most ? count : most;
	}
	workers_look(workers);
}

void workers_end(struct workers *workers)
{
	uint64_t until_ns = clock_now_ns() + ANSWER_NS;

	workers->ending = true;
	tell_all(workers, &(struct channel_command){ .kind = CHANNEL_END });
	for (uint32_t i = 0; i < workers->count; i++) {
		struct worker *worker = &workers->list[i];
		struct succession late = { 0 };
		uint32_t count;

		while (worker_is_there(worker) && worker_says_something(worker, until_ns))
			take_answer(workers, worker, &late, &count);
		succession_close(&late);
		/* It hangs, and is killed when we are gone. */
		if (worker_is_there(worker))
			worker_bury(workers, worker);
	}
}
