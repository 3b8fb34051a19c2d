/* SPDX-License-Identifier: MIT */
/* A scenario: what scenarios/NAME.ini says, checked, with the defaults filled in. */
#ifndef LINGERBENCH_SCENARIO_H
#define LINGERBENCH_SCENARIO_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lingerbench/added_hold.h"
#include "lingerbench/arm.h"
#include "lingerbench/arrivals.h"
#include "lingerbench/compressing.h"
#include "lingerbench/expectation.h"
#include "lingerbench/fault_settings.h"
#include "lingerbench/names.h"
#include "lingerbench/path_settings.h"
#include "lingerbench/peer.h"

enum {
	SCENARIO_MAX_ARMS = 64,
	SCENARIO_MAX_PEERS = 32,
	SCENARIO_MAX_EXPECTATIONS = 64,
};

struct scenario {
	char name[64]; /* the file's, without .ini */
	char path[PATH_MAX];
	char title[192];

	struct names server_names;
	struct names file_servers; /* the same before --set */
	const struct program
		*servers[NAMES_MAX]; /* that are run; then those that --set has left out */
	size_t server_count;
	size_t known_server_count; /* with the latter */
	bool has_unknown_server;
	uint64_t workers;
	uint64_t port; /* 0: any free one */
	uint64_t response_bytes;

	struct path_settings link;

	enum arrivals_kind arrivals;
	uint64_t rate;	      /* of an open loop: arrivals per second; else 0 */
	uint64_t connections; /* of a trial, at most */
	uint64_t clients;     /* of these, at once until they have their response */
	uint64_t held;	      /* and so many beside them that have it and are not yet over */
	uint64_t warm_up_ns;  /* of a trial: who begins in that time is in no figure */
	uint64_t
		duration_ns; /* of a trial, after that: no connection begins later; 0: no matter when */
	uint64_t blocks;
	uint64_t seed;
	uint64_t timeout_ns; /* of one connection, from connect() to EOF */

	/* Names until the whole is known: what they mean depends on the servers. */
	struct names strategy_names;
	struct arm arms[SCENARIO_MAX_ARMS]; /* server by server */
	size_t arm_count;
	struct strategy_settings settings;
	struct added_holds added_holds; /* of the strategies by their names */

	struct peer known_peers[SCENARIO_MAX_PEERS]; /* the defaults and the file's own */
	size_t known_peer_count;
	struct names peer_names;	     /* whose scripts may stand on later lines */
	const struct peer *peers[NAMES_MAX]; /* those that this scenario uses */
	size_t peer_count;

	bool trace;
	struct fault_settings faults;
	enum compressing compressing;

	struct expectation expectations[SCENARIO_MAX_EXPECTATIONS];
	size_t expectation_count;
};

/*
 * Reads NAME or PATH: a name without a slash stands for scenarios/NAME.ini. Each of the settings,
 * as "SECTION.KEY=VALUE", replaces what the file says. Every mistake is logged with its place. 0,
 * or a negative errno that has been logged; *ret is undefined then. Do not copy *ret: it points
 * into itself.
 */
int scenario_load(struct scenario *ret, const char *name_or_path, const char *const settings[],
		  size_t setting_count);

/* Those that are run, as [server] program calls them. */
void scenario_name_servers(const struct scenario *scenario, const char *separator, char *text,
			   size_t size);

/* Logs the scenarios of scenarios/ on stdout, a line each: name and title. 0 or a negative errno.
 */
int scenario_list(void);

#endif
