/* SPDX-License-Identifier: MIT */
#include "lingerd/workers.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "lingerd/batch.h"
#include "lingerd/channel.h"
#include "lingerd/clients.h"
#include "lingerd/events.h"
#include "lingerd/ledger.h"
#include "lingerd/shelf.h"

enum {
	SHELVES_MAX = 63,
	BATCH_MOVED = 32,
	/* On their way to one shelf. */
	CREDIT_MAX = 256,
};

static const uint64_t START_NS = 10 * NS_PER_S;
static const uint64_t ANSWER_NS = 5 * NS_PER_S;
static const uint64_t ALIVE_NS = 10 * NS_PER_S;
static const uint64_t LOOK_NS = 50 * NS_PER_MS;
static const uint64_t MOVE_NS = 1 * NS_PER_MS;

struct worker {
	pid_t pid;
	int channel; /* -1: it has died, and all that is left is its books */
	struct ledger *ledger;
	struct clients *clients; /* that it lingers; it keeps them */
	uint32_t version;	 /* of the ledger, in report */
	struct report report;
	/* What report says how far it has come with */
	uint64_t sent; /* connections */
	uint64_t said; /* messages */
	uint64_t sheds;
	uint64_t unheard_since_ns; /* when there are messages that it has not heard */
};

struct workers {
	struct worker list[SHELVES_MAX];
	uint32_t count;
	uint32_t room; /* of each */
	uint32_t credit;
	bool ending;
};

/* -- What is known of them -- */

static bool is_there(const struct worker *worker)
{
	return worker->channel >= 0;
}

static uint64_t on_their_way(const struct worker *worker)
{
	return worker->sent - worker->report.received;
}

static uint64_t lingers_of(const struct worker *worker)
{
	return worker->report.counters.lingers + on_their_way(worker);
}

static void look_at(struct worker *worker)
{
	uint64_t heard = worker->report.heard;

	if (is_there(worker) && ledger_read(worker->ledger, &worker->version, &worker->report) &&
	    worker->report.heard != heard)
		worker->unheard_since_ns = clock_now_ns();
}

/* It is closed already, by the kernel. */
static void bury(struct workers *workers, struct worker *worker)
{
	struct report *report = &worker->report;
	uint64_t lost;

	look_at(worker);
	lost = lingers_of(worker);
	close(worker->channel);
	worker->channel = -1;
	report->counters.ended_lost += lost;
	report->counters.lingers = 0;
	report->received = worker->sent;
	report->oldest_ns = UINT64_MAX;
	report->user_count = 0;
	if (!workers->ending || lost)
		log_error("a worker, process %d, has died: its %" PRIu64
			  " connection%s cut; going on with the others",
			  (int)worker->pid, lost, lost == 1 ? " is" : "s are");
}

void workers_look(struct workers *workers)
{
	for (uint32_t i = 0; i < workers->count; i++)
		look_at(&workers->list[i]);
}

uint32_t workers_count(const struct workers *workers)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < workers->count; i++)
		count += is_there(&workers->list[i]);
	return count;
}

uint64_t workers_room(const struct workers *workers)
{
	return (uint64_t)workers_count(workers) * workers->room;
}

/* Those that are to be given up do not count any more. */
uint64_t workers_lingers(const struct workers *workers)
{
	uint64_t count = 0;

	for (uint32_t i = 0; i < workers->count; i++) {
		const struct worker *worker = &workers->list[i];
		uint64_t lingers = lingers_of(worker), sheds = worker->sheds - worker->report.shed;

		count += lingers > sheds ? lingers - sheds : 0;
	}
	return count;
}

void workers_add_counters(const struct workers *workers, struct counters *to)
{
	for (uint32_t i = 0; i < workers->count; i++) {
		counters_add(to, &workers->list[i].report.counters);
		to->lingers += on_their_way(&workers->list[i]);
	}
}

void workers_add_times(const struct workers *workers, struct linger_times *to)
{
	for (uint32_t i = 0; i < workers->count; i++) {
		metrics_add(&to->all, &workers->list[i].report.times.all);
		metrics_add(&to->fin, &workers->list[i].report.times.fin);
	}
}

void workers_add_rounds(const struct workers *workers, struct metrics_histogram *to)
{
	for (uint32_t i = 0; i < workers->count; i++)
		metrics_add(to, &workers->list[i].report.rounds);
}

static uint32_t open_of(const struct report *report, uid_t uid)
{
	for (uint32_t i = 0; i < report->user_count; i++)
		if (report->users[i].uid == uid)
			return report->users[i].open;
	return 0;
}

void workers_count_users(const struct workers *workers, struct users *users)
{
	for (uint32_t i = 0; i < users->count; i++) {
		struct user *user = &users->list[i];

		user->elsewhere = 0;
		for (uint32_t j = 0; j < workers->count; j++)
			user->elsewhere += open_of(&workers->list[j].report, user->uid);
	}
}

uint32_t workers_count_client(const void *context, const struct sockaddr_storage *client)
{
	const struct workers *workers = context;
	uint32_t count = 0;

	for (uint32_t i = 0; i < workers->count; i++)
		if (is_there(&workers->list[i]))
			count += clients_count(workers->list[i].clients, client);
	return count;
}

/* Whether it has no message that is older, unread. */
static bool hears(const struct worker *worker, uint64_t now_ns, uint64_t patience_ns)
{
	return worker->said == worker->report.heard ||
	       now_ns <= worker->unheard_since_ns + patience_ns;
}

static bool is_alive(const struct worker *worker, uint64_t now_ns)
{
	uint64_t due_ns = atomic_load(&worker->ledger->due_ns);

	if (due_ns < now_ns && now_ns - due_ns > ALIVE_NS)
		return false;
	return hears(worker, now_ns, ALIVE_NS);
}

bool workers_alive(const struct workers *workers, uint64_t now_ns)
{
	for (uint32_t i = 0; i < workers->count; i++)
		if (is_there(&workers->list[i]) && !is_alive(&workers->list[i], now_ns))
			return false;
	return true;
}

/* -- What is said to them -- */

static void note_said(struct worker *worker)
{
	if (worker->said++ == worker->report.heard)
		worker->unheard_since_ns = clock_now_ns();
}

static bool tell(struct worker *worker, const struct channel_command *command)
{
	int error = is_there(worker) ? channel_tell(worker->channel, command) : -EPIPE;

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

		if (is_there(worker) && worker->report.oldest_ns < than_ns &&
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
	uint64_t lingers = lingers_of(worker), way = on_their_way(worker);
	uint64_t room, credit;

	if (!is_there(worker) || lingers >= workers->room || way >= workers->credit)
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

		if (takes(workers, worker) && (!found || lingers_of(worker) < lingers_of(found)))
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

		if (!is_there(worker) ||
		    (!lingers_of(worker) && worker->said == worker->report.heard))
			continue;
		next = now + LOOK_NS;
		if (wants && lingers_of(worker) < workers->room && hears(worker, now, LOOK_NS))
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
			bury(workers, worker);
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

/* Whether there is something to read. */
static bool wait_for(const struct worker *worker, uint64_t until_ns)
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

		if (tell(worker, &command) && wait_for(worker, until_ns))
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

		while (is_there(worker) && wait_for(worker, until_ns))
			take_answer(workers, worker, &late, &count);
		succession_close(&late);
		/* It hangs, and is killed when we are gone. */
		if (is_there(worker))
			bury(workers, worker);
	}
}

/* -- Their start -- */

static void close_all(const int fds[], uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

/* In the child: what is the front's. */
static void close_of_front(const struct workers *workers, const struct workers_plan *plan)
{
	const struct inherited *inherited = plan->inherited;
	const int own[] = { inherited->listener, inherited->lock, inherited->giver };

	close_all(own, sizeof(own) / sizeof(own[0]));
	close_all(inherited->left.queues, inherited->left.count);
	for (uint32_t i = 0; i < workers->count; i++)
		close(workers->list[i].channel);
}

static uint32_t least(uint64_t a, uint32_t b)
{
	return a < b ? (uint32_t)a : b;
}

static int open_books(struct worker *worker, uint32_t fd_numbers)
{
	*worker = (struct worker){ .channel = -1,
				   .ledger = ledger_new(),
				   .clients = clients_new(fd_numbers, true),
				   .report.oldest_ns = UINT64_MAX };
	if (!worker->ledger || !worker->clients)
		return -ENOMEM;
	atomic_store(&worker->ledger->due_ns, UINT64_MAX);
	return 0;
}

static int start_one(struct workers *workers, const struct workers_plan *plan)
{
	struct worker *worker = &workers->list[workers->count];
	pid_t front = getpid();
	int ends[2];

	int error = open_books(worker, workers->room + plan->reserve);

	workers->count++; /* from here on it is freed with the others */
	if (!error && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends))
		error = -errno;
	if (error)
		return error;
	worker->channel = ends[0];
	worker->pid = fork();
	if (!worker->pid) {
		close_of_front(workers, plan);
		shelf_run(&(struct shelf_parts){ .channel = ends[1],
						 .ledger = worker->ledger,
						 .clients = worker->clients,
						 .settings = plan->settings,
						 .fd_numbers = workers->room + plan->reserve,
						 .front = front,
						 .background = plan->background });
	}
	error = worker->pid < 0 ? -errno : 0;
	close(ends[1]);
	return error;
}

static int wait_until_ready(const struct worker *worker, uint64_t until_ns, struct problem *problem)
{
	struct channel_answer answer = { .problem = { "it does not answer" } };
	struct succession none;
	int error = -ETIMEDOUT;

	if (wait_for(worker, until_ns)) {
		error = channel_get_answer(worker->channel, &answer, &none);
		succession_close(&none);
	}
	if (!error && !*answer.problem.text)
		return 0;
	problem_say(problem, "workers: one of them cannot start: %.400s", answer.problem.text);
	return error ? error : -EIO;
}

int workers_start(struct workers **ret, const struct workers_plan *plan, struct problem *problem)
{
	struct workers *workers = calloc(1, sizeof(*workers));
	uint32_t wanted = plan->settings->workers - 1;
	uint64_t until_ns = clock_now_ns() + START_NS, credit = plan->nofile / 2 / wanted;
	int error = workers ? 0 : -ENOMEM;

	assert(wanted <= SHELVES_MAX);
	signal(SIGCHLD,
	       SIG_IGN); /* whoever dies is seen by its channel, and leaves nothing behind */
	if (workers) {
		workers->room = least(plan->nofile - plan->reserve, plan->most);
		workers->credit = least(credit ? credit : 1, CREDIT_MAX);
	}
	while (!error && workers->count < wanted)
		error = start_one(workers, plan);
	if (error)
		problem_say(problem, "workers: cannot start one: %s", strerror(-error));
	for (uint32_t i = 0; !error && i < workers->count; i++)
		error = wait_until_ready(&workers->list[i], until_ns, problem);
	if (error) {
		workers_free(workers);
		return error;
	}
	*ret = workers;
	return 0;
}

int workers_watch(struct workers *workers, int epoll)
{
	int error = 0;

	for (uint32_t i = 0; !error && i < workers->count; i++)
		error = events_add(epoll, workers->list[i].channel, EVENT_CHANNEL);
	return error;
}

void workers_free(struct workers *workers)
{
	if (!workers)
		return;
	for (uint32_t i = 0; i < workers->count; i++) {
		if (is_there(&workers->list[i]))
			close(workers->list[i].channel);
		ledger_free(workers->list[i].ledger);
		clients_free(workers->list[i].clients);
	}
	free(workers);
}
