/* SPDX-License-Identifier: MIT */
#include "lingerbench/interruption.h"

#include <signal.h>
#include <stddef.h>

static volatile bool interrupted;

static void interrupt(int signal)
{
	(void)signal;
	interrupted = true;
}

/* By nohup(1): whoever logs out wants the run to go on. */
static bool hangup_is_ignored(void)
{
	struct sigaction action;

	return !sigaction(SIGHUP, NULL, &action) && action.sa_handler == SIG_IGN;
}

const volatile bool *interruption_catch(void)
{
	const struct sigaction action = { .sa_handler = interrupt };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	if (!hangup_is_ignored())
		sigaction(SIGHUP, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	return &interrupted;
}
