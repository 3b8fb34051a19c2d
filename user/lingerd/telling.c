/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <time.h>

#include "common/clock.h"
#include "common/log.h"
#include "lingerd/daemon_parts.h"
#include "lingerd/families.h"

static const uint64_t REOPEN_EVERY_NS = 1 * NS_PER_S;

void daemon_begin_telling(struct daemon *daemon)
{
	service_open(&daemon->service);
	daemon->rounds.bounds_ns = &metrics_bounds_of_work;
	daemon->start_s = (uint64_t)time(NULL);
}

static void write_metrics(void *context, struct metrics_text *text)
{
	struct daemon *daemon = context;
	/* First: it reads what the workers report, and the times have to be of the same report. */
	const struct counters *totals = daemon_totals(daemon);
	struct linger_times times = *linger_engine_times(daemon->engine);
	struct metrics_histogram rounds = daemon->rounds;
	uint32_t processes = 1;

	if (daemon->workers) {
		processes += workers_count(daemon->workers);
		workers_add_times(daemon->workers, &times);
		workers_add_rounds(daemon->workers, &rounds);
	}
	families_write(&(struct families){ .counters = totals,
					   .times = &times,
					   .rounds = &rounds,
					   .limits = &daemon->limits,
					   .nofile = daemon->nofile,
					   .processes = processes,
					   .start_s = daemon->start_s },
		       text);
}

int daemon_open_endpoint(struct daemon *daemon, struct problem *problem)
{
	return endpoint_open(&daemon->endpoint, &daemon->settings, daemon->epoll, write_metrics,
			     daemon, problem);
}

void daemon_reopen_endpoint(struct daemon *daemon)
{
	struct problem problem = { "" };
	bool first = !daemon->reopen_at_ns;

	daemon->reopen_at_ns = 0;
	if (!daemon_open_endpoint(daemon, &problem))
		return;
	if (first)
		log_error("%s; going on without, and trying again", problem.text);
	daemon->reopen_at_ns = clock_now_ns() + REOPEN_EVERY_NS;
}

/* We are in our loop; the others have to show that they are in theirs. */
static bool is_alive(const struct daemon *daemon, uint64_t now_ns)
{
	return !daemon->workers || workers_alive(daemon->workers, now_ns);
}

void daemon_tell(struct daemon *daemon, uint64_t round_began_ns)
{
	const struct counters *totals;
	uint64_t now;

	endpoint_tick(&daemon->endpoint, round_began_ns);
	now = clock_now_ns();
	if (daemon->reopen_at_ns && now >= daemon->reopen_at_ns)
		daemon_reopen_endpoint(daemon);
	totals = daemon_totals(daemon);
	service_tick(&daemon->service, totals, is_alive(daemon, now), now);
	journal_tick(&daemon->journal, totals, daemon->settings.summary_ns, now);
	metrics_observe(&daemon->rounds, now - round_began_ns);
}

uint64_t daemon_next_telling_ns(const struct daemon *daemon)
{
	/* As they were told of last. */
	const struct counters *totals = daemon->workers ? &daemon->totals : &daemon->counters;
	uint64_t next = endpoint_next_ns(&daemon->endpoint);
	uint64_t service = service_next_ns(&daemon->service, totals);
	uint64_t journal = journal_next_ns(&daemon->journal, totals, daemon->settings.summary_ns);

	if (service < next)
		next = service;
	if (daemon->reopen_at_ns && daemon->reopen_at_ns < next)
		next = daemon->reopen_at_ns;
	return journal < next ? journal : next;
}
