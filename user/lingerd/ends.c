/* SPDX-License-Identifier: MIT */
#include "lingerd/ends.h"

#include <errno.h>

#include "lingerd/shortage.h"

enum linger_end linger_end_of_error(ssize_t error)
{
	if (is_shortage(error))
		return LINGER_OPEN;
	switch (error) {
	case -EAGAIN:
	case -EINTR:
		return LINGER_OPEN;
	case -ECONNRESET:
	case -EPIPE: /* a reset that came after the peer's FIN */
	case -ENOTCONN:
		return LINGER_RESET;
	default:
		return LINGER_ERROR;
	}
}

void linger_end_count(struct counters *counters, enum linger_end end)
{
	uint64_t *const ends[] = {
		[LINGER_FIN] = &counters->ended_fin,
		[LINGER_RESET] = &counters->ended_reset,
		[LINGER_ERROR] = &counters->ended_error,
		[LINGER_IDLE] = &counters->ended_idle,
		[LINGER_TOTAL] = &counters->ended_total,
		[LINGER_BYTE_CAP] = &counters->ended_byte_cap,
		[LINGER_SHED] = &counters->ended_shed,
		[LINGER_QUOTA] = &counters->ended_quota,
		[LINGER_COMMAND] = &counters->ended_command,
		[LINGER_SHUTDOWN] = &counters->ended_shutdown,
	};

	++*ends[end];
}
