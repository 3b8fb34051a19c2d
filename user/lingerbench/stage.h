/* SPDX-License-Identifier: MIT */
/* What all servers of a scenario share: the path to them, their port, their response, a scratch folder. */
#ifndef LINGERBENCH_STAGE_H
#define LINGERBENCH_STAGE_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "lingerbench/path.h"
#include "lingerbench/response.h"
#include "lingerbench/scenario.h"

struct stage {
	const struct scenario *scenario;
	struct path path;
	int keeper; /* of the port: it does not listen, each server does for itself */
	uint16_t port;
	struct response response;
	char folder[PATH_MAX]; /* for sockets and logs; "": none yet */
	const volatile bool *interrupted;
};

/*
 * Makes it; the scenario and interrupted must outlive it. 0, or a negative errno that has been logged. To be closed in any case,
 * once it has been all zeroes.
 */
int stage_open(struct stage *ret, const struct scenario *scenario,
	       const volatile bool *interrupted);
void stage_close(struct stage *stage);

#endif
