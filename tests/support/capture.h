/* SPDX-License-Identifier: MIT */
/*
 * What went over the wire, by a packet socket on a loopback device: the judge of what the tracer says. Calls fail
 * the test (cmocka) on errors.
 */
#ifndef TEST_CAPTURE_H
#define TEST_CAPTURE_H

#include <stddef.h>
#include <stdint.h>

/* Of one connection, seen from its server. Moments in ns of CLOCK_REALTIME, when it sent or received;
 * 0: there was no such segment. */
struct wire {
	uint64_t fin_sent_at;	    /* the server's FIN, the first time */
	uint64_t fin_acked_at;	    /* the client's acknowledgement of it */
	uint64_t fin_received_at;   /* the client's FIN, the first time */
	uint64_t fin_answered_at;   /* the server's acknowledgement of it */
	uint64_t reset_sent_at;	    /* by the server */
	uint64_t reset_received_at; /* by the client */
};

struct capture;

/* Sees the TCP segments of this server port from now on. Needs CAP_NET_RAW. */
struct capture *capture_start(uint16_t server_port);
/* Of what has been captured so far. */
struct wire capture_of(struct capture *capture, uint16_t client_port);
/* RSTs by the server so far, of all connections and of none. */
size_t capture_resets_sent(struct capture *capture);
void capture_stop(struct capture *capture);

#endif
