/* SPDX-License-Identifier: MIT */
/* The states of TCP by their names. */
#ifndef TRACER_TCP_STATE_H
#define TRACER_TCP_STATE_H

/* As in net/tcp_states.h, "CLOSE_WAIT"; NULL when it is none. */
const char *tcp_state_name(unsigned int state);

#endif
