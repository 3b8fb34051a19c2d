/* SPDX-License-Identifier: MIT */
#include "lingerd/refusal.h"

#include <inttypes.h>
#include <stddef.h>
#include <sys/socket.h>

#include "common/clock.h"
#include "common/log.h"

static const uint64_t QUIET_NS = 10 * NS_PER_S;

struct cause {
	const char *text;
	size_t counter;
};

static const struct cause causes[MESSAGE_KINDS] = {
	[MESSAGE_NO_FD] = { "a handoff without a descriptor",
			    offsetof(struct counters, refused_no_fd) },
	[MESSAGE_MANY_FDS] = { "a message with more than one descriptor",
			       offsetof(struct counters, refused_many_fds) },
	[MESSAGE_NOT_TCP] = { "a descriptor that is no TCP socket",
			      offsetof(struct counters, refused_not_tcp) },
	[MESSAGE_BAD] = { "a message that cannot be understood",
			  offsetof(struct counters, refused_bad_message) },
	[MESSAGE_VERSION] = { "a message of another protocol version",
			      offsetof(struct counters, refused_version) },
	[MESSAGE_TRUNCATED] = { "a message whose descriptor was lost at the fd limit",
				offsetof(struct counters, refused_truncated) },
};

static int process_of(int sender)
{
	struct ucred credentials = { .pid = 0 };
	socklen_t length = sizeof(credentials);

	getsockopt(sender, SOL_SOCKET, SO_PEERCRED, &credentials, &length);
	return (int)credentials.pid;
}

void refusal_note(struct refusals *refusals, struct counters *counters, enum message_kind kind,
		  int sender, uint64_t now_ns)
{
	const struct cause *cause = &causes[kind];

	++*(uint64_t *)((char *)counters + cause->counter);
	if (now_ns < refusals->by_kind[kind].quiet_until_ns) {
		refusals->by_kind[kind].unsaid++;
		return;
	}
	log_warning("process %d sent %s; closed (%" PRIu64 " more since the last such line)",
		    process_of(sender), cause->text, refusals->by_kind[kind].unsaid);
	refusals->by_kind[kind].unsaid = 0;
	refusals->by_kind[kind].quiet_until_ns = now_ns + QUIET_NS;
}
