/* SPDX-License-Identifier: MIT */
#include "lingerd/workers_parts.h"

#include <inttypes.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"

static const uint64_t ALIVE_NS = 10 * NS_PER_S;

void worker_look(struct worker *worker)
{
	uint64_t heard = worker->report.heard;

	if (worker_is_there(worker) &&
	    ledger_read(worker->ledger, &worker->version, &worker->report) &&
	    worker->report.heard != heard)
		worker->unheard_since_ns = clock_now_ns();
}

void worker_bury(struct workers *workers, struct worker *worker)
{
	struct report *report = &worker->report;
	uint64_t lost;

	worker_look(worker);
	lost = worker_lingers(worker);
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
		worker_look(&workers->list[i]);
}

uint32_t workers_count(const struct workers *workers)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < workers->count; i++)
		count += worker_is_there(&workers->list[i]);
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
		uint64_t lingers = worker_lingers(worker),
			 sheds = worker->sheds - worker->report.shed;

		count += lingers > sheds ? lingers - sheds : 0;
	}
	return count;
}

void workers_add_counters(const struct workers *workers, struct counters *to)
{
	for (uint32_t i = 0; i < workers->count; i++) {
		counters_add(to, &workers->list[i].report.counters);
		to->lingers += worker_on_its_way(&workers->list[i]);
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
		if (worker_is_there(&workers->list[i]))
			count += clients_count(workers->list[i].clients, client);
	return count;
}

bool worker_hears(const struct worker *worker, uint64_t now_ns, uint64_t patience_ns)
{
	return worker->said == worker->report.heard ||
	       now_ns <= worker->unheard_since_ns + patience_ns;
}

static bool is_alive(const struct worker *worker, uint64_t now_ns)
{
	uint64_t due_ns = atomic_load(&worker->ledger->due_ns);

	if (due_ns < now_ns && now_ns - due_ns > ALIVE_NS)
		return false;
	return worker_hears(worker, now_ns, ALIVE_NS);
}

bool workers_alive(const struct workers *workers, uint64_t now_ns)
{
	for (uint32_t i = 0; i < workers->count; i++)
		if (worker_is_there(&workers->list[i]) && !is_alive(&workers->list[i], now_ns))
			return false;
	return true;
}
