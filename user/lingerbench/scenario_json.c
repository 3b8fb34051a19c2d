/* SPDX-License-Identifier: MIT */
#include "lingerbench/scenario_json.h"

#include <stdio.h>

#include "lingerbench/json_text.h"

static void put_text(json_t *object, const char *key, const char *text)
{
	json_object_set_new(object, key, json_text(text));
}

static void put_count(json_t *object, const char *key, uint64_t count)
{
	json_object_set_new(object, key, json_integer((json_int_t)count));
}

static void put_seconds(json_t *object, const char *key, uint64_t ns)
{
	json_object_set_new(object, key, json_real((double)ns / 1e9));
}

/* As in the column "server", one space between them. */
static void put_servers(json_t *object, const struct scenario *scenario)
{
	char text[256] = "";
	size_t used = 0;

	for (size_t i = 0; i < scenario->server_count && used < sizeof(text); i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s", i ? " " : "",
					 program_label(scenario->servers[i]));
	put_text(object, "server", text);
}

static void put_load(json_t *object, const struct scenario *scenario)
{
	put_text(object, "arrivals", arrivals_name(scenario->arrivals));
	put_count(object, "rate_per_s", scenario->rate);
	put_count(object, "connections_per_trial", scenario->connections);
	put_count(object, "clients", scenario->clients);
	put_count(object, "held", scenario->held);
	put_seconds(object, "warm_up_s", scenario->warm_up_ns);
	put_seconds(object, "duration_s", scenario->duration_ns);
	put_count(object, "blocks", scenario->blocks);
	put_count(object, "seed", scenario->seed);
	put_seconds(object, "timeout_s", scenario->timeout_ns);
}

static void put_strategies(json_t *object, const struct scenario *scenario)
{
	const struct strategy_settings *settings = &scenario->settings;
	json_t *names = json_array(), *holds = json_object();

	put_count(object, "so_linger_s", settings->so_linger_s);
	put_count(object, "tcp_linger2_s", settings->tcp_linger2_s);
	put_seconds(object, "sleep_s", settings->sleep_ns);
	put_seconds(object, "idle_timeout_s", settings->idle_timeout_ns);
	put_seconds(object, "total_timeout_s", settings->total_timeout_ns);
	for (size_t i = 0; i < scenario->added_holds.count; i++)
		json_object_set_new(holds, scenario->added_holds.list[i].strategy,
				    json_real((double)scenario->added_holds.list[i].ns / 1e3));
	json_object_set_new(object, "added_hold_us", holds);
	for (size_t i = 0; i < scenario->strategy_names.count; i++)
		json_array_append_new(names, json_string(scenario->strategy_names.list[i].text));
	json_object_set_new(object, "strategies", names);
}

static void put_path(json_t *object, const struct path_settings *path)
{
	json_t *sysctls = json_object();
	char text[96];

	path_settings_describe(path, text, sizeof(text));
	put_text(object, "link", text);
	for (size_t i = 0; i < path->sysctl_count; i++)
		put_text(sysctls, path->sysctls[i].name, path->sysctls[i].value);
	json_object_set_new(object, "sysctl", sysctls);
}

static void put_peers(json_t *object, const struct scenario *scenario)
{
	json_t *peers = json_object();

	for (size_t i = 0; i < scenario->peer_count; i++)
		put_text(peers, scenario->peers[i]->name, scenario->peers[i]->script);
	json_object_set_new(object, "peers", peers);
}

json_t *scenario_json(const struct scenario *scenario)
{
	json_t *object = json_object();

	put_text(object, "name", scenario->name);
	put_text(object, "path", scenario->path);
	put_text(object, "title", scenario->title);
	put_servers(object, scenario);
	put_count(object, "workers", scenario->workers);
	put_count(object, "response_bytes", scenario->response_bytes);
	put_path(object, &scenario->link);
	put_load(object, scenario);
	put_strategies(object, scenario);
	put_peers(object, scenario);
	put_seconds(object, "fault_at_s", scenario->faults.at_ns);
	put_seconds(object, "fault_for_s", scenario->faults.for_ns);
	return object;
}
