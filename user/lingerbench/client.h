/* SPDX-License-Identifier: MIT */
/*
 * The client process: makes the connections of a trial, each as its peer's script says. In a closed loop so many at
 * once; in an open one at the times of a schedule, whatever the server does. Who comes when all places are taken is
 * dropped, and counted.
 */
#ifndef LINGERBENCH_CLIENT_H
#define LINGERBENCH_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "lingerbench/arrivals.h"
#include "lingerbench/peer.h"
#include "lingerbench/response.h"
#include "lingerbench/rows.h"

struct client_plan {
	uint16_t server_port; /* on 127.0.0.1 */
	bool tls;
	enum arrivals_kind arrivals;
	uint64_t per_s;	      /* of an open loop */
	uint64_t seed;	      /* likewise */
	uint64_t connections; /* at most; of an open loop: that come, dropped ones included */
	uint64_t at_once;     /* that wait for their response, and */
	uint64_t held;	      /* beside them, so many that have it and are not yet over */
	uint64_t warm_up_ns;  /* who begins in that time is not measured */
	uint64_t duration_ns; /* after that: none begins later; 0: no matter when */
	uint64_t timeout_ns;  /* of one connection, from connect() to EOF */
	const struct peer *peer;
	const struct response *response;
	struct trial_rows *rows;
};

/*
 * Who begins later than this after its time, though a place was free, was held up by the client process itself: it was
 * short of CPU, and what it measured is no property of the server.
 */
#define CLIENT_LATE_NS 10000000ULL

/* Fills rows->client[0 .. rows->begun - 1]. 0, or a negative errno if the process itself cannot go on. */
int client_run(const struct client_plan *plan);

#endif
