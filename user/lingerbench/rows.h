/* SPDX-License-Identifier: MIT */
/*
 * What the processes of one trial write down, in memory they share: the workers a row per accepted
 * connection, the client a row per connection it made. The rows meet in join.h.
 *
 * Times are CLOCK_MONOTONIC in ns, 0 where the moment never came.
 */
#ifndef LINGERBENCH_ROWS_H
#define LINGERBENCH_ROWS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct server_row {
	uint64_t cookie; /* SO_COOKIE of the accepted socket: the tracer's key */
	uint64_t accepted_ns;
	uint64_t responded_ns; /* the last write() of the response returned */
	uint64_t released_ns;  /* the strategy returned: the worker is free */
	int32_t worker;	       /* its pid */
	int32_t error;	       /* of reading the request or writing the response, negative errno */
	int32_t handoff_error; /* what strategy->finish() said */
	uint16_t client_port;
};

enum outcome {
	OUTCOME_UNFINISHED,	 /* the trial ended first */
	OUTCOME_COMPLETE_FIN,	 /* the whole response, then EOF */
	OUTCOME_COMPLETE_RESET,	 /* the whole response, then an error */
	OUTCOME_TRUNCATED_FIN,	 /* a part of it, then EOF */
	OUTCOME_TRUNCATED_RESET, /* a part of it, then an error */
	OUTCOME_TIMEOUT,	 /* neither EOF nor error within the time of [load] timeout */
	OUTCOME_CORRUPT,	 /* bytes that nobody promised */
	OUTCOME_FAILED,		 /* no connection */
	OUTCOME_COUNT,
};

const char *outcome_name(enum outcome outcome);

/* What a connection counts for. */
enum phase {
	PHASE_MEASURED,
	PHASE_WARM_UP, /* it came in the warm-up: recorded, and in no figure */
};

struct client_row {
	uint64_t due_ns;     /* when it was to come; in a closed loop that is started_ns */
	uint64_t started_ns; /* connect() called */
	uint64_t first_byte_ns;
	uint64_t last_byte_ns;	 /* of the response */
	uint64_t eof_ns;	 /* EOF or error seen */
	uint64_t ended_ns;	 /* closed */
	uint64_t promised_bytes; /* Content-Length; 0: no head of a response came */
	uint64_t received_bytes; /* of the body */
	int32_t error;		 /* that ended it, negative errno */
	int32_t send_error;	 /* that ended an upload, negative errno */
	uint16_t port;
	uint8_t outcome;
	uint8_t phase;
};

struct trial_rows {
	size_t size;	 /* of the mapping */
	size_t capacity; /* rows on each side */
	size_t begun;	 /* rows of the client, which alone counts them */
	size_t measured; /* of these, that are no warm-up */
	/* Of an open loop. */
	size_t dropped; /* measured arrivals that found all places taken */
	size_t late;	/* measured ones that the client process was too busy to begin in time */
	uint64_t
		measured_for_ns; /* by the schedule, after the warm-up: until the next one would come */
	uint64_t came_for_ns;	/* until the last arrival */
	uint64_t wanted_cpu_ns; /* that the client process ran or waited for a CPU in that time */
	atomic_size_t prepared; /* workers that accept */
	atomic_size_t accepted; /* may pass the capacity: strangers can connect */
	atomic_size_t released;
	atomic_size_t lingering; /* of the released ones: a worker still has them open */
	atomic_bool unprepared;	 /* a worker could not begin, and has said why */
	struct client_row *client;
	struct server_row *server;
};

/* NULL: no memory. */
struct trial_rows *trial_rows_map(size_t capacity);
void trial_rows_unmap(struct trial_rows *rows);
/*
 * Connections of the client that have something of a response, or are over. To be asked by somebody else than the client
 * while that goes on: those of this moment may be among them or not.
 */
size_t trial_rows_answered(const struct trial_rows *rows);
/* Server rows that have been begun. */
size_t trial_rows_server_count(const struct trial_rows *rows);

#endif
