/* SPDX-License-Identifier: MIT */
/*
 * Refused messages: each is counted, and said in the log, but no cause more than once in ten
 * seconds: a broken sender must not fill the disk.
 */
#ifndef LINGERD_REFUSAL_H
#define LINGERD_REFUSAL_H

#include <stdint.h>

#include "lingerd/access.h"
#include "lingerd/counters.h"
#include "lingerd/message.h"

struct refusals {
	struct {
		uint64_t quiet_until_ns;
		uint64_t unsaid;
	} by_kind[MESSAGE_KINDS];
};

/* kind: one of the refusals. sender: who it came from. */
void refusal_note(struct refusals *refusals, struct counters *counters, enum message_kind kind,
		  const struct peer_process *sender, uint64_t now_ns);

#endif
