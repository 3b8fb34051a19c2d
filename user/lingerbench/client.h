/* SPDX-License-Identifier: MIT */
/*
 * The client process: makes the connections of a trial, so many at once, each as its peer's script says.
 */
#ifndef LINGERBENCH_CLIENT_H
#define LINGERBENCH_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "lingerbench/peer.h"
#include "lingerbench/response.h"
#include "lingerbench/rows.h"

struct client_plan {
	uint16_t server_port; /* on 127.0.0.1 */
	bool tls;
	uint64_t connections; /* at most */
	uint64_t at_once;     /* that wait for their response, and */
	uint64_t held;	      /* beside them, so many that have it and are not yet over */
	uint64_t duration_ns; /* none begins later; 0: no matter when */
	uint64_t timeout_ns;  /* of one connection, from connect() to EOF */
	const struct peer *peer;
	const struct response *response;
	struct trial_rows *rows;
};

/* Fills rows->client[0 .. rows->begun - 1]. 0, or a negative errno if the process itself cannot go on. */
int client_run(const struct client_plan *plan);

#endif
