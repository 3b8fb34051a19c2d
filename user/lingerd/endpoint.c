/* SPDX-License-Identifier: MIT */
#include "lingerd/endpoint.h"

#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "lingerd/events.h"
#include "metrics/target.h"

static void remember_next(struct endpoint *endpoint, uint64_t now_ns)
{
	int ms = metrics_http_wait_ms(endpoint->http);

	endpoint->next_ns = ms < 0 ? UINT64_MAX : now_ns + (uint64_t)ms * NS_PER_MS;
}

int endpoint_open(struct endpoint *endpoint, const struct settings *settings, int epoll,
		  metrics_write_fn *write, void *context, struct problem *problem)
{
	struct metrics_target target;
	char reason[256];
	int error;

	if (!*settings->metrics)
		return 0;
	error = metrics_target_parse(&target, settings->metrics,
				     settings->metrics_remote ? METRICS_ALLOW_REMOTE : 0, reason,
				     sizeof(reason));
	if (!error)
		error = metrics_http_open(&endpoint->http, &target, write, context, reason,
					  sizeof(reason));
	if (error) {
		problem_say(problem, "metrics %s: %s", settings->metrics, reason);
		return error;
	}
	error = events_add(epoll, metrics_http_fd(endpoint->http), EVENT_METRICS);
	if (error) {
		problem_say(problem, "metrics %s: %s", settings->metrics, strerror(-error));
		endpoint_close(endpoint);
		return error;
	}
	remember_next(endpoint, clock_now_ns());
	log_info("metrics: %s", metrics_http_place(endpoint->http));
	return 0;
}

void endpoint_tick(struct endpoint *endpoint, uint64_t now_ns)
{
	if (!endpoint->http || (!endpoint->is_ready && now_ns < endpoint->next_ns))
		return;
	endpoint->is_ready = false;
	metrics_http_serve(endpoint->http, 1);
	remember_next(endpoint, now_ns);
}

uint64_t endpoint_next_ns(const struct endpoint *endpoint)
{
	return endpoint->http ? endpoint->next_ns : UINT64_MAX;
}

void endpoint_close(struct endpoint *endpoint)
{
	metrics_http_close(endpoint->http);
	*endpoint = (struct endpoint){ 0 };
}
