/* SPDX-License-Identifier: MIT */
#include "lingerbench/plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "common/log.h"
#include "common/units.h"
#include "lingerbench/random.h"

enum { FDS_BESIDES_CLIENTS = 64, TRIAL_OVERHEAD_MS = 60 };

static void shuffle(struct trial *trials, size_t count, uint64_t *random)
{
	for (size_t i = count; i > 1; i--) {
		size_t j = random_next(random) % i;
		struct trial other = trials[j];

		trials[j] = trials[i - 1];
		trials[i - 1] = other;
	}
}

int plan_make(struct plan *ret, const struct scenario *scenario)
{
	size_t in_block = scenario->arm_count * scenario->peer_count;
	struct trial *trials = calloc(scenario->blocks * in_block, sizeof(*trials));
	struct trial *next = trials;
	uint64_t random = scenario->seed;

	if (!trials)
		return -ENOMEM;
	for (uint64_t block = 1; block <= scenario->blocks; block++) {
		struct trial *first = next;

		for (size_t a = 0; a < scenario->arm_count; a++)
			for (size_t p = 0; p < scenario->peer_count; p++)
				*next++ = (struct trial){ .block = block,
							  .arm = &scenario->arms[a],
							  .peer = scenario->peers[p] };
		shuffle(first, in_block, &random);
	}
	*ret = (struct plan){ .trials = trials,
			      .count = scenario->blocks * in_block,
			      .planned = scenario->blocks * in_block };
	return 0;
}

void plan_cut(struct plan *plan, size_t count)
{
	for (size_t i = count; i < plan->count; i++)
		trial_rows_unmap(plan->trials[i].rows);
	plan->count = count;
}

void plan_free(struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		trial_rows_unmap(plan->trials[i].rows);
	free(plan->trials);
	*plan = (struct plan){ 0 };
}

static double least(double a, double b)
{
	return a < b ? a : b;
}

static double most(double a, double b)
{
	return a > b ? a : b;
}

/* All pauses of a script, none of them for longer than most_s. */
static double pauses_s(const struct peer *peer, double most_s)
{
	double total_s = 0;

	for (size_t i = 0; i < peer->step_count; i++) {
		const struct peer_step *step = &peer->steps[i];
		double pause_s = least((double)step->pause_ns / 1e9, most_s);

		total_s += step->count ? pause_s * (double)(step->count - 1) : pause_s;
	}
	return total_s;
}

/* How long a connection holds a worker. One that waits for its peer gives it up after a time. */
static double hold_s(const struct trial *trial, const struct strategy_settings *settings)
{
	if (trial->arm->strategy.sleeps)
		return (double)settings->sleep_ns / 1e9;
	if (!trial->arm->strategy.waits_for_peer)
		return 0;
	return least(pauses_s(trial->peer, (double)settings->idle_timeout_ns / 1e9),
		     (double)settings->total_timeout_ns / 1e9);
}

/* How long clients come. 0: until all have come. */
static double arrivals_s(const struct scenario *scenario)
{
	double duration = (double)(scenario->warm_up_ns + scenario->duration_ns) / 1e9;
	double all = scenario->rate ? (double)scenario->connections / (double)scenario->rate : 0;

	if (!scenario->duration_ns)
		return all;
	return all && all < duration ? all : duration;
}

static double estimate_trial_s(const struct trial *trial, const struct scenario *scenario)
{
	double connections = (double)scenario->connections, workers = (double)scenario->workers;
	double at_once = (double)(scenario->clients + scenario->held);
	double duration = arrivals_s(scenario);
	double pauses = pauses_s(trial->peer, 1e9), hold = hold_s(trial, &scenario->settings);
	double total = most(pauses * most(connections / at_once, 1),
			    hold * most(connections / workers, 1));

	/* Those that have begun go on to their ends. That fewer come than there is time for is not expected. */
	if (duration)
		total = duration + most(pauses, hold * (double)scenario->clients / workers);
	return total + (trial->arm->program->overhead_ms + TRIAL_OVERHEAD_MS) / 1e3;
}

double plan_estimate_rest_s(const struct plan *plan, const struct scenario *scenario, size_t from)
{
	double total = 0;

	for (size_t i = from; i < plan->count; i++)
		total += estimate_trial_s(&plan->trials[i], scenario);
	return total;
}

/* Of a second at least: the tracer has to be loaded, and results to be written. */
double plan_estimate_s(const struct plan *plan, const struct scenario *scenario)
{
	return most(plan_estimate_rest_s(plan, scenario, 0), 1);
}

static int label_width(const struct scenario *scenario)
{
	size_t width = 16;

	for (size_t i = 0; i < scenario->arm_count; i++) {
		size_t length = strlen(scenario->arms[i].label);

		width = length > width ? length : width;
	}
	return (int)width;
}

void plan_print(const struct plan *plan, const struct scenario *scenario)
{
	char path[96], servers[256];

	scenario_name_servers(scenario, ", ", servers, sizeof(servers));
	printf("%s: %s\n", scenario->name, scenario->title);
	printf("%zu trial%s of %llu connection%s, %llu at once, to %llu worker%s of %s; responses "
	       "of %llu byte%s; seed %llu\n",
	       plan->count, units_plural(plan->count), (unsigned long long)scenario->connections,
	       units_plural(scenario->connections), (unsigned long long)scenario->clients,
	       (unsigned long long)scenario->workers, units_plural(scenario->workers), servers,
	       (unsigned long long)scenario->response_bytes, units_plural(scenario->response_bytes),
	       (unsigned long long)scenario->seed);
	if (scenario->arrivals != ARRIVALS_CLOSED)
		printf("%llu arrivals a second (%s), whatever the server does\n",
		       (unsigned long long)scenario->rate, arrivals_name(scenario->arrivals));
	path_settings_describe(&scenario->link, path, sizeof(path));
	if (path_settings_are_apart(&scenario->link))
		printf("over %s, in network namespaces of its own\n", path);
	for (size_t i = 0; i < scenario->link.sysctl_count; i++)
		printf("%s = %s\n", scenario->link.sysctls[i].name,
		       scenario->link.sysctls[i].value);
	for (size_t i = 0; i < plan->count; i++)
		printf("  %3zu  block %llu  %-*s %-12s %s\n", i + 1,
		       (unsigned long long)plan->trials[i].block, label_width(scenario),
		       plan->trials[i].arm->label, plan->trials[i].peer->name,
		       plan->trials[i].peer->script);
	printf("about %.0f s\n", plan_estimate_s(plan, scenario));
}

static int check_descriptors(const struct scenario *scenario)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files))
		return 0;
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	if (scenario->clients + scenario->held + FDS_BESIDES_CLIENTS <= files.rlim_cur)
		return 0;
	log_error("%s: %llu clients at once and %d other descriptors are more than the %llu that "
		  "this process may open; lower [load] clients and held or raise RLIMIT_NOFILE "
		  "(ulimit "
		  "-n)",
		  scenario->path, (unsigned long long)scenario->clients + scenario->held,
		  FDS_BESIDES_CLIENTS, (unsigned long long)files.rlim_cur);
	return -EMFILE;
}

/* All of them are connections from one address to one port. */
int plan_check_ports(const struct scenario *scenario)
{
	FILE *file = fopen("/proc/sys/net/ipv4/ip_local_port_range", "re");
	unsigned int first, last;
	int fields = file ? fscanf(file, "%u %u", &first, &last) : 0;

	if (file)
		fclose(file);
	if (fields != 2 || scenario->clients + scenario->held <= last - first + 1)
		return 0;
	log_error("%s: %llu clients at once are more than the %u local ports, %u to %u, that there "
		  "are for "
		  "them; lower [load] clients and held or widen net.ipv4.ip_local_port_range",
		  scenario->path, (unsigned long long)scenario->clients + scenario->held,
		  last - first + 1, first, last);
	return -EADDRNOTAVAIL;
}

int plan_check_limits(const struct scenario *scenario)
{
	int descriptors = check_descriptors(scenario);
	/* A network namespace that is still to be made has other ones. */
	int ports = path_settings_are_apart(&scenario->link) ? 0 : plan_check_ports(scenario);

	return descriptors ? descriptors : ports;
}
