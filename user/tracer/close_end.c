/* SPDX-License-Identifier: MIT */
#include "tracer/close_end.h"

#include <stddef.h>

#include "bpf/close_trace.h"

const char *close_end_name(unsigned int end)
{
	static const char *const names[] = {
		[CLOSE_END_UNKNOWN] = NULL,
		[CLOSE_END_FIN] = "fin",
		[CLOSE_END_TIMEOUT] = "timeout",
		[CLOSE_END_RESET_SENT] = "reset_sent",
		[CLOSE_END_RESET_RECEIVED] = "reset_received",
		[CLOSE_END_ABORTED] = "aborted",
		[CLOSE_END_OPEN] = "open",
	};

	return end < sizeof(names) / sizeof(names[0]) ? names[end] : NULL;
}
