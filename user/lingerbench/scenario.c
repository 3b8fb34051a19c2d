/* SPDX-License-Identifier: MIT */
#include "lingerbench/scenario.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/inifile.h"
#include "common/log.h"
#include "common/number.h"
#include "common/printable.h"
#include "lingerbench/locate.h"
#include "common/quantity.h"
#include "lingerbench/scenario_check.h"

enum key_type { COUNT, BYTES, TIME, SECONDS, YES_NO, TEXT };

/* Every key that holds one value. Ranges of times are in milliseconds. */
static const struct scalar_key {
	const char *section, *key;
	enum key_type type;
	size_t offset;
	uint64_t least, most;
} scalar_keys[] = {
	{ "scenario", "title", TEXT, offsetof(struct scenario, title), 0, 191 },
	{ "server", "workers", COUNT, offsetof(struct scenario, workers), 1, 256 },
	{ "server", "port", COUNT, offsetof(struct scenario, port), 0, 65535 },
	{ "response", "bytes", BYTES, offsetof(struct scenario, response_bytes), 1, 64 << 20 },
	{ "load", "connections", COUNT, offsetof(struct scenario, connections), 1, 1000000 },
	{ "load", "clients", COUNT, offsetof(struct scenario, clients), 1, 15000 },
	{ "load", "held", COUNT, offsetof(struct scenario, held), 0, 25000 },
	{ "load", "rate", COUNT, offsetof(struct scenario, rate), 0, 200000 },
	{ "load", "warm-up", TIME, offsetof(struct scenario, warm_up_ns), 0, 3600000 },
	{ "load", "duration", TIME, offsetof(struct scenario, duration_ns), 0, 3600000 },
	{ "load", "blocks", COUNT, offsetof(struct scenario, blocks), 1, 1000 },
	{ "load", "seed", COUNT, offsetof(struct scenario, seed), 0, UINT32_MAX },
	{ "load", "timeout", TIME, offsetof(struct scenario, timeout_ns), 1, 3600000 },
	{ "strategies", "so-linger", SECONDS, offsetof(struct scenario, settings.so_linger_s), 1000,
	  3600000 },
	{ "strategies", "tcp-linger2", SECONDS, offsetof(struct scenario, settings.tcp_linger2_s),
	  1000, 120000 },
	{ "strategies", "sleep", TIME, offsetof(struct scenario, settings.sleep_ns), 0, 60000 },
	{ "strategies", "idle-timeout", TIME, offsetof(struct scenario, settings.idle_timeout_ns),
	  1, 3600000 },
	{ "strategies", "total-timeout", TIME, offsetof(struct scenario, settings.total_timeout_ns),
	  1, 3600000 },
	{ "faults", "at", TIME, offsetof(struct scenario, faults.at_ns), 0, 3600000 },
	{ "faults", "for", TIME, offsetof(struct scenario, faults.for_ns), 0, 3600000 },
	{ "trace", "enabled", YES_NO, offsetof(struct scenario, trace), 0, 1 },
};

static const char *const sections[] = { "scenario", "server", "response",   "path",
					"sysctl",   "load",   "strategies", "peers",
					"trace",    "faults", "results",    "expect" };

static bool is_section(const char *name)
{
	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++)
		if (!strcmp(sections[i], name))
			return true;
	return false;
}

static int parse_yes_no(const char *text, bool *ret)
{
	if (!strcmp(text, "yes"))
		*ret = true;
	else if (!strcmp(text, "no"))
		*ret = false;
	else
		return -EINVAL;
	return 0;
}

static int store_scalar(const struct scalar_key *key, void *target, const char *value)
{
	uint64_t ns;
	int error;

	switch (key->type) {
	case COUNT:
		return number_parse(value, key->least, key->most, target);
	case BYTES:
		return quantity_parse_bytes(value, key->least, key->most, target);
	case TIME:
		return quantity_parse_time(value, key->least, key->most, target);
	case SECONDS:
		error = quantity_parse_time(value, key->least, key->most, &ns);
		if (!error && ns % NS_PER_S)
			error = -EINVAL;
		if (!error)
			*(uint64_t *)target = ns / NS_PER_S;
		return error;
	case YES_NO:
		return parse_yes_no(value, target);
	case TEXT:
		if (strlen(value) > key->most)
			return -ERANGE;
		strcpy(target, value);
		return 0;
	}
	return -EINVAL;
}

static bool complain_of_value(struct inifile_place place, const struct scalar_key *key,
			      const char *value, int error)
{
	static const char *const forms[] = {
		[COUNT] = "a whole number",
		[BYTES] = "bytes, as 5000, 64k or 1m",
		[TIME] = "a time, as 200ms or 2s",
		[SECONDS] = "whole seconds, as 2s",
		[YES_NO] = "yes or no",
		[TEXT] = "a line of text",
	};
	static const char *const units[] = {
		[COUNT] = "",	   [BYTES] = " bytes", [TIME] = " ms",
		[SECONDS] = " ms", [YES_NO] = "",      [TEXT] = " bytes"
	};

	if (error == -ERANGE)
		return inifile_complain(place, "%s = %s: out of range, expected %llu to %llu%s",
					key->key, value, (unsigned long long)key->least,
					(unsigned long long)key->most, units[key->type]);
	return inifile_complain(place, "%s = %s: expected %s", key->key, value, forms[key->type]);
}

static bool take_servers(struct scenario *scenario, struct inifile_place place, const char *value)
{
	bool right = names_take(&scenario->server_names, "server", place, value);

	if (right && !scenario->server_names.count)
		return inifile_complain(place, "program = names no server");
	return right;
}

static bool take_arrivals(struct scenario *scenario, struct inifile_place place, const char *value)
{
	for (int kind = 0; kind < ARRIVALS_KINDS; kind++) {
		if (strcmp(value, arrivals_name((enum arrivals_kind)kind)) != 0)
			continue;
		scenario->arrivals = (enum arrivals_kind)kind;
		return true;
	}
	return inifile_complain(place, "arrivals = %s: expected closed, constant or poisson",
				value);
}

struct peer *scenario_find_peer(struct scenario *scenario, const char *name)
{
	for (size_t i = 0; i < scenario->known_peer_count; i++)
		if (!strcmp(scenario->known_peers[i].name, name))
			return &scenario->known_peers[i];
	return NULL;
}

/* NAME = SCRIPT: a new peer, or a default one with another script. */
static bool take_peer(struct scenario *scenario, struct inifile_place place, const char *name,
		      const char *script)
{
	struct peer *peer = scenario_find_peer(scenario, name);
	char error[256];
	bool right;

	if (!peer) {
		if (scenario->known_peer_count == SCENARIO_MAX_PEERS)
			return inifile_complain(place, "more than %d peers", SCENARIO_MAX_PEERS);
		peer = &scenario->known_peers[scenario->known_peer_count];
	}
	right = !peer_parse(name, script, peer, error, sizeof(error));
	/* With a wrong script, too, it is known: nobody is to say that no peer is called so. */
	if (!right)
		snprintf(peer->name, sizeof(peer->name), "%s", name);
	if (peer == &scenario->known_peers[scenario->known_peer_count])
		scenario->known_peer_count++;
	return right || inifile_complain(place, "peer %s: %s", name, error);
}

/* What --set says of a figure takes the place of what the file says of it. */
static void forget_expectations_of_file(struct scenario *scenario, const struct expectation *by)
{
	size_t kept = 0;

	for (size_t i = 0; i < scenario->expectation_count; i++) {
		const struct expectation *expectation = &scenario->expectations[i];

		if (!expectation->place.line || !expectation_is_of_same(expectation, by))
			scenario->expectations[kept++] = *expectation;
	}
	scenario->expectation_count = kept;
}

static bool take_expectation(struct scenario *scenario, struct inifile_place place, const char *key,
			     const char *value)
{
	struct expectation expectation;

	if (!expectation_take(&expectation, place, key, value))
		return false;
	if (!place.line)
		forget_expectations_of_file(scenario, &expectation);
	if (scenario->expectation_count == SCENARIO_MAX_EXPECTATIONS)
		return inifile_complain(place, "more than %d expectations",
					SCENARIO_MAX_EXPECTATIONS);
	scenario->expectations[scenario->expectation_count++] = expectation;
	return true;
}

static bool take_key(void *context, struct inifile_place place, const char *section,
		     const char *key, const char *value)
{
	struct scenario *scenario = context;

	if (!printable_is_utf8(section) || !printable_is_utf8(key) || !printable_is_utf8(value))
		return inifile_complain(place,
					"this is no UTF-8; the results could not tell of it");
	if (!is_section(section))
		return inifile_complain(place, "unknown section [%s]", section);
	if (!strcmp(section, "server") && !strcmp(key, "program"))
		return take_servers(scenario, place, value);
	if (!strcmp(section, "path") || !strcmp(section, "sysctl"))
		return path_settings_take(&scenario->link, place, section, key, value);
	if (!strcmp(section, "load") && !strcmp(key, "arrivals"))
		return take_arrivals(scenario, place, value);
	if (!strcmp(section, "strategies") && !strcmp(key, "use"))
		return names_take(&scenario->strategy_names, "strategy", place, value);
	if (!strcmp(section, "strategies") && !strncmp(key, ADDED_HOLD, strlen(ADDED_HOLD)))
		return added_hold_take(&scenario->added_holds, place, key + strlen(ADDED_HOLD),
				       value);
	if (!strcmp(section, "results") && !strcmp(key, "gzip"))
		return !compressing_parse(value, &scenario->compressing) ||
		       inifile_complain(place, "gzip = %s: expected auto, yes or no", value);
	if (!strcmp(section, "peers") && !strcmp(key, "use"))
		return names_take(&scenario->peer_names, "peer", place, value);
	if (!strcmp(section, "peers"))
		return take_peer(scenario, place, key, value);
	if (!strcmp(section, "expect"))
		return take_expectation(scenario, place, key, value);
	for (size_t i = 0; i < sizeof(scalar_keys) / sizeof(scalar_keys[0]); i++) {
		const struct scalar_key *known = &scalar_keys[i];
		int error;

		if (strcmp(known->section, section) || strcmp(known->key, key))
			continue;
		error = store_scalar(known, (char *)scenario + known->offset, value);
		return error ? complain_of_value(place, known, value, error) : true;
	}
	return inifile_complain(place, "unknown key \"%s\" in [%s]", key, section);
}

/* "SECTION.KEY=VALUE" from the command line. */
static bool take_setting(struct scenario *scenario, const char *setting)
{
	struct inifile_place place = { .file = setting };
	char section[64], key[128];
	const char *equals = strchr(setting, '=');

	if (!equals || sscanf(setting, "%63[^.=].%127[^=]", section, key) != 2) {
		log_error("--set %s: expected SECTION.KEY=VALUE", setting);
		return false;
	}
	/* Lists are replaced, not added to. */
	if (!strcmp(section, "server") && !strcmp(key, "program"))
		scenario->server_names.count = 0;
	if (!strcmp(section, "strategies") && !strcmp(key, "use"))
		scenario->strategy_names.count = 0;
	if (!strcmp(section, "peers") && !strcmp(key, "use"))
		scenario->peer_names.count = 0;
	return take_key(scenario, place, section, key, equals + 1);
}

static void set_defaults(struct scenario *scenario)
{
	char error[256];

	*scenario = (struct scenario){
		.workers = 4,
		.response_bytes = 1 << 20,
		.connections = 100,
		.clients = 50,
		.blocks = 1,
		.seed = 1,
		.timeout_ns = 30 * NS_PER_S,
		.settings = { .so_linger_s = 2,
			      .tcp_linger2_s = 2,
			      .sleep_ns = 500 * NS_PER_MS,
			      .idle_timeout_ns = 2 * NS_PER_S,
			      .total_timeout_ns = 30 * NS_PER_S },
		.trace = true,
		.faults = { .at_ns = 500 * NS_PER_MS, .for_ns = NS_PER_S },
	};
	for (const struct peer_default *peer = peer_defaults; peer->name; peer++)
		if (peer_parse(peer->name, peer->script,
			       &scenario->known_peers[scenario->known_peer_count++], error,
			       sizeof(error)))
			abort(); /* our own table is wrong */
}

static void locate(struct scenario *scenario, const char *name_or_path)
{
	const char *base = strrchr(name_or_path, '/');
	char folder[PATH_MAX];
	size_t length;

	if (base || strchr(name_or_path, '.') || locate_scenarios(folder))
		snprintf(scenario->path, sizeof(scenario->path), "%s", name_or_path);
	else
		snprintf(scenario->path, sizeof(scenario->path), "%.*s/%s.ini", PATH_MAX - 256,
			 folder, name_or_path);
	base = strrchr(scenario->path, '/');
	base = base ? base + 1 : scenario->path;
	length = strlen(base);
	if (length >= 4 && !strcmp(base + length - 4, ".ini"))
		length -= 4;
	snprintf(scenario->name, sizeof(scenario->name), "%.*s", (int)length, base);
}

int scenario_load(struct scenario *ret, const char *name_or_path, const char *const settings[],
		  size_t setting_count)
{
	int error;
	bool right;

	set_defaults(ret);
	locate(ret, name_or_path);
	error = inifile_read((struct inifile_place){ .file = ret->path, .context = ret }, take_key);
	if (error && error != -EINVAL) {
		log_error("cannot read %s: %s; \"lingerbench list\" shows the scenarios", ret->path,
			  strerror(-error));
		return error;
	}
	right = !error;
	if (!ret->server_names.count)
		names_take(&ret->server_names, "server",
			   (struct inifile_place){ .file = ret->path }, programs[0]->name);
	ret->file_servers = ret->server_names;
	for (size_t i = 0; i < setting_count; i++)
		right &= take_setting(ret, settings[i]);
	right &= scenario_check(ret);
	return right ? 0 : -EINVAL;
}

void scenario_name_servers(const struct scenario *scenario, const char *separator, char *text,
			   size_t size)
{
	size_t used = 0;

	for (size_t i = 0; i < scenario->server_count && used < size; i++)
		used += (size_t)snprintf(text + used, size - used, "%s%s", i ? separator : "",
					 scenario->servers[i]->name);
}

int scenario_list(void)
{
	char folder[PATH_MAX], pattern[PATH_MAX + 8];
	glob_t found;

	if (!locate_scenarios(folder))
		snprintf(pattern, sizeof(pattern), "%s/*.ini", folder);
	if (locate_scenarios(folder) || glob(pattern, 0, NULL, &found)) {
		log_error("no scenarios here: run this where the folder scenarios/ is, or make "
			  "install");
		return -ENOENT;
	}
	for (size_t i = 0; i < found.gl_pathc; i++) {
		struct scenario *scenario = malloc(sizeof(*scenario));

		if (scenario && !scenario_load(scenario, found.gl_pathv[i], NULL, 0))
			printf("  %-18s %s\n", scenario->name, scenario->title);
		free(scenario);
	}
	globfree(&found);
	return 0;
}
