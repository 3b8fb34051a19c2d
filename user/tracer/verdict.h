/* SPDX-License-Identifier: MIT */
/*
 * What a record means for the response that was to be delivered, as far as the kernel's data prove it.
 *
 * The kernel knows bytes, not responses. Bytes that the peer has not acknowledged when an RST is sent are thrown
 * away, unless they are on the wire already: "probably cut off". Those that it has acknowledged lie in the
 * peer's kernel, and an RST makes many a peer give up before it has read them: "at risk".
 */
#ifndef TRACER_VERDICT_H
#define TRACER_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/close_trace.h"

/* From the worst on: a record gets the first one that fits. */
enum verdict {
	VERDICT_UNREAD_CUT, /* closed with unread data: RST, and some of what was sent not acknowledged */
	VERDICT_LATE_DATA_CUT,	/* data came after close(): the same */
	VERDICT_ABORTIVE_CUT,	/* SO_LINGER with time 0: the same */
	VERDICT_MEMORY_CUT,	/* an orphan was killed for want of memory */
	VERDICT_PEER_RESET_CUT, /* the peer sent an RST while some was not acknowledged */
	VERDICT_GAVE_UP_CUT,	/* the peer no longer answered, the same */
	VERDICT_UNREAD, /* closed with unread data: RST; all that was sent had arrived, or it is not known */
	VERDICT_LATE_DATA,
	VERDICT_ABORTIVE,
	VERDICT_MEMORY,
	VERDICT_RESET, /* an RST was sent for another reason */
	/* Nothing was at risk, but somebody may want to know. */
	VERDICT_BLOCKED,	    /* close() blocked for long */
	VERDICT_CLOSE_WAIT,	    /* the peer closed, and for long this side did not */
	VERDICT_CLOSE_WAIT_OPEN,    /* and has not when the trace ended */
	VERDICT_NEVER_CLOSED,	    /* the peer did not close until FIN_WAIT_2 ran out */
	VERDICT_TIME_WAIT_OVERFLOW, /* the kernel had no mini-socket left */
	VERDICT_CLIENT, /* any of the risks, but this side is the client's: no response of its own */
	VERDICT_FINE,
};

enum { VERDICT_COUNT = VERDICT_FINE + 1 };

/* From when on they are told. */
#define VERDICT_BLOCKED_NS    100000000ULL
#define VERDICT_CLOSE_WAIT_NS 5000000000ULL

/* reset_reason: the kernel's name of record->reset_reason, or NULL (reset_reason_name()). */
enum verdict verdict_of(const struct close_record *record, const char *reset_reason);

/* "unread_cut" */
const char *verdict_name(enum verdict verdict);

bool verdict_is_risk(enum verdict verdict);

/*
 * Who could have done otherwise: the closer for what close() did, the one who half-closed for what happened
 * to its response, since who has got the connection from it only waits. NULL: not known.
 */
const struct close_caller *verdict_responsible(enum verdict verdict,
					       const struct close_record *record);

#endif
