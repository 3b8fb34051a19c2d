/* SPDX-License-Identifier: MIT */
#include "lingerd/refusal.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

#include "common/clock.h"
#include "common/log.h"

static const uint64_t QUIET_NS = 10 * NS_PER_S;

struct cause {
	const char *text;
	size_t counter;
};

static const struct cause causes[MESSAGE_KINDS] = {
	[MESSAGE_NO_FD] = { "sent a handoff without a descriptor",
			    offsetof(struct counters, refused_no_fd) },
	[MESSAGE_MANY_FDS] = { "sent a message with more than one descriptor",
			       offsetof(struct counters, refused_many_fds) },
	[MESSAGE_NOT_TCP] = { "sent a descriptor that is no TCP socket",
			      offsetof(struct counters, refused_not_tcp) },
	[MESSAGE_BAD] = { "sent a message that cannot be understood",
			  offsetof(struct counters, refused_bad_message) },
	[MESSAGE_VERSION] = { "sent a message of another protocol version",
			      offsetof(struct counters, refused_version) },
	[MESSAGE_TRUNCATED] = { "sent a message whose descriptor was lost at the fd limit",
				offsetof(struct counters, refused_truncated) },
	[MESSAGE_SENDER_NOT_ALLOWED] = { "is not of allow-users or allow-groups",
					 offsetof(struct counters, refused_access) },
	[MESSAGE_COMMAND_NOT_ALLOWED] = { "gave a command that is root's, and the daemon's own "
					  "user's",
					  offsetof(struct counters, refused_command) },
};

void refusal_note(struct refusals *refusals, struct counters *counters, enum message_kind kind,
		  const struct peer_process *sender, uint64_t now_ns)
{
	const struct cause *cause = &causes[kind];
	char more[64] = "";

	++*(uint64_t *)((char *)counters + cause->counter);
	if (now_ns < refusals->by_kind[kind].quiet_until_ns) {
		refusals->by_kind[kind].unsaid++;
		return;
	}
	if (refusals->by_kind[kind].unsaid)
		snprintf(more, sizeof(more), " (%" PRIu64 " more since the last such line)",
			 refusals->by_kind[kind].unsaid);
	log_warning("process %d of user %u %s: refused%s", (int)sender->pid,
		    (unsigned int)sender->uid, cause->text, more);
	refusals->by_kind[kind].unsaid = 0;
	refusals->by_kind[kind].quiet_until_ns = now_ns + QUIET_NS;
}
