/* SPDX-License-Identifier: MIT */
/* `lingerbench serve`: the server of a scenario, for clients of other people's. */
#ifndef LINGERBENCH_SERVE_H
#define LINGERBENCH_SERVE_H

#include <stddef.h>

#include "lingerbench/run.h"

/*
 * Starts the scenario's server, which must be one, with its first strategy, says where it listens, and ends it in order at Ctrl-C
 * or SIGTERM. RUN_DONE, RUN_BAD_SCENARIO, or RUN_FAILED.
 */
enum run_status serve(const char *scenario, const char *const settings[], size_t setting_count);

#endif
