/* SPDX-License-Identifier: MIT */
#include "lingerd/daemon_parts.h"
#include "lingerd/options.h"

/* Of a limit of open files, what may be on its way to the next process at once: unix(7), ETOOMANYREFS. */
enum { LEFT_OF_FOUR = 3 };

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint32_t wished(const struct settings *settings)
{
	return settings->max_connections ? settings->max_connections : DEFAULT_MAX_CONNECTIONS;
}

static uint64_t room_of_all(const struct daemon *daemon)
{
	uint64_t room = daemon->own_room + workers_room(daemon->workers);

	return least(room, wished(&daemon->settings));
}

/*
 * The rest is room for what comes while others are on their way. It has one at least: who could never keep any would
 * take one more for each that is moved, however many there are.
 */
static uint64_t share_of_front(const struct daemon *daemon)
{
	uint64_t share = least(daemon->own_room / 2, daemon->counters.max_connections /
							     (workers_count(daemon->workers) + 1));

	return share ? share : 1;
}

int daemon_start_workers(struct daemon *daemon, const struct inherited *inherited,
			 struct problem *problem)
{
	int error;

	if (daemon->settings.workers == 1)
		return 0;
	error = workers_start(&daemon->workers,
			      &(struct workers_plan){ .settings = &daemon->settings,
						      .inherited = inherited,
						      .nofile = daemon->nofile,
						      .reserve = daemon->limits.reserve,
						      .background = daemon->options->background,
						      .most = wished(&daemon->settings) },
			      problem);
	if (!error)
		daemon->counters.max_connections = room_of_all(daemon);
	return error;
}

/* Queues are descriptors as well: as long as they are open, there are fewer for connections. */
void daemon_limit(struct daemon *daemon)
{
	uint64_t most = daemon->own_room;

	if (daemon->workers) {
		uint64_t all = daemon->counters.max_connections;
		uint64_t away = workers_lingers(daemon->workers);

		most = least(most, all > away ? all - away : 0);
	}
	most = most > daemon->left.count ? most - daemon->left.count : 0;
	daemon->limits.connections = most ? (uint32_t)most : 1;
}

void daemon_share(struct daemon *daemon)
{
	if (!daemon->workers)
		return;
	workers_look(daemon->workers);
	workers_count_users(daemon->workers, &daemon->users);
	daemon->counters.max_connections = room_of_all(daemon);
	workers_move(daemon->workers, daemon->engine, &daemon->counters, share_of_front(daemon));
	daemon_limit(daemon);
}

uint64_t daemon_next_sharing_ns(const struct daemon *daemon)
{
	bool wants = daemon->left.count;

	if (!daemon->workers)
		return UINT64_MAX;
	wants |= daemon->counters.lingers > share_of_front(daemon);
	return workers_next_ns(daemon->workers, wants);
}

const struct counters *daemon_totals(void *context)
{
	struct daemon *daemon = context;
	struct counters *totals = &daemon->totals;
	uint64_t peak = totals->lingers_peak;

	if (!daemon->workers)
		return &daemon->counters;
	workers_look(daemon->workers);
	*totals = daemon->counters;
	workers_add_counters(daemon->workers, totals);
	totals->lingers_peak = totals->lingers > peak ? totals->lingers : peak;
	return totals;
}

void daemon_shed(void *context)
{
	struct daemon *daemon = context;
	bool has_room = daemon->counters.lingers < daemon->own_room;

	if (!daemon->workers || !has_room ||
	    !workers_shed(daemon->workers, linger_engine_oldest_ns(daemon->engine)))
		linger_engine_shed(daemon->engine);
	daemon_limit(daemon);
}

void daemon_leave_shelved(struct daemon *daemon, struct succession *left, uint64_t gone)
{
	uint64_t most = daemon->nofile / 4 * LEFT_OF_FOUR;

	if (daemon->workers)
		workers_leave(daemon->workers, left, most > gone ? most - gone : 0);
}
