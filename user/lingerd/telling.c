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
	const struct daemon *daemon = context;

	families_write(&(struct families){ .counters = &daemon->counters,
					   .times = linger_engine_times(daemon->engine),
					   .rounds = &daemon->rounds,
					   .limits = &daemon->limits,
					   .nofile = daemon->nofile,
					   .start_s = daemon->start_s },
		       text);
}

int daemon_open_endpoint(struct daemon *daemon, struct problem *problem)
{
	return endpoint_open(&daemon->endpoint, &daemon->settings, daemon->io.epoll, write_metrics,
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

void daemon_tell(struct daemon *daemon, uint64_t round_began_ns)
{
	uint64_t now;

	endpoint_tick(&daemon->endpoint, round_began_ns);
	now = clock_now_ns();
	if (daemon->reopen_at_ns && now >= daemon->reopen_at_ns)
		daemon_reopen_endpoint(daemon);
	service_tick(&daemon->service, &daemon->counters, now);
	journal_tick(&daemon->journal, &daemon->counters, daemon->settings.summary_ns, now);
	metrics_observe(&daemon->rounds, now - round_began_ns);
}

uint64_t daemon_next_telling_ns(const struct daemon *daemon)
{
	uint64_t next = endpoint_next_ns(&daemon->endpoint);
	uint64_t service = service_next_ns(&daemon->service, &daemon->counters);
	uint64_t journal =
		journal_next_ns(&daemon->journal, &daemon->counters, daemon->settings.summary_ns);

	if (service < next)
		next = service;
	if (daemon->reopen_at_ns && daemon->reopen_at_ns < next)
		next = daemon->reopen_at_ns;
	return journal < next ? journal : next;
}
