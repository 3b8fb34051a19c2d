/* SPDX-License-Identifier: MIT */
/*
 * What happens to lingerd in the middle of a trial, of strategies whose name says so: NAME_killed, NAME_stopped. Killed, it is
 * started again after a time, as a service manager would; stopped, it goes on then.
 */
#ifndef LINGERBENCH_FAULT_H
#define LINGERBENCH_FAULT_H

#include <stdbool.h>
#include <stdint.h>

#include "lingerbench/serving.h"

struct fault {
	enum { FAULT_AHEAD, FAULT_ON, FAULT_OVER } state;
};

/*
 * To be called again and again while clients are served, with the time since the first came. Does nothing for other
 * strategies. 0, or a negative errno that has been logged: lingerd did not start again.
 */
int fault_look(struct fault *fault, struct serving *serving, uint64_t since_ns);

/*
 * The clients are gone; if it was not over, lingerd goes on. False: it had not even begun, and the trial is not what its strategy's name
 * says.
 */
bool fault_end(struct fault *fault, struct serving *serving);

#endif
