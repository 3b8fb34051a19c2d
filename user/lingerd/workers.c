/* SPDX-License-Identifier: MIT */
#include "lingerd/workers.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "lingerd/channel.h"
#include "lingerd/events.h"
#include "lingerd/shelf.h"
#include "lingerd/workers_parts.h"

/* On their way to one shelf. */
enum { CREDIT_MAX = 256 };

static const uint64_t START_NS = 10 * NS_PER_S;

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

	if (worker_says_something(worker, until_ns)) {
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
		if (worker_is_there(&workers->list[i]))
			close(workers->list[i].channel);
		ledger_free(workers->list[i].ledger);
		clients_free(workers->list[i].clients);
	}
	free(workers);
}
