/* SPDX-License-Identifier: MIT */
#include "lingerbench/fault.h"

#include <signal.h>

#include "lingerbench/child.h"

static void begin(const struct serving *serving)
{
	if (serving->arm->strategy.fault == STRATEGY_STOPS_LINGERD) {
		kill(serving->daemon, SIGSTOP);
		return;
	}
	kill(serving->daemon, SIGKILL);
	child_wait(serving->daemon, 1);
}

static int end(struct serving *serving)
{
	if (serving->arm->strategy.fault == STRATEGY_KILLS_LINGERD)
		return serving_start_lingerd(serving);
	kill(serving->daemon, SIGCONT);
	return 0;
}

int fault_look(struct fault *fault, struct serving *serving, uint64_t since_ns)
{
	const struct fault_settings *settings = &serving->stage->scenario->faults;

	if (serving->arm->strategy.fault == STRATEGY_FAULTLESS)
		return 0;
	if (fault->state == FAULT_AHEAD && since_ns >= settings->at_ns) {
		begin(serving);
		fault->state = FAULT_ON;
	}
	if (fault->state == FAULT_ON && since_ns >= settings->at_ns + settings->for_ns) {
		fault->state = FAULT_OVER;
		return end(serving);
	}
	return 0;
}

bool fault_end(struct fault *fault, struct serving *serving)
{
	if (fault->state != FAULT_ON)
		return fault->state == FAULT_OVER ||
		       serving->arm->strategy.fault == STRATEGY_FAULTLESS;
	fault->state = FAULT_OVER;
	if (serving->arm->strategy.fault == STRATEGY_STOPS_LINGERD)
		kill(serving->daemon, SIGCONT);
	else
		serving->daemon = 0; /* waited for */
	return true;
}
