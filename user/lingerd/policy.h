/* SPDX-License-Identifier: MIT */
/*
 * How a connection is lingered: what the operator has set, for everybody or for the processes of
 * one user. Pure data, shared by settings, users and engine.
 */
#ifndef LINGERD_POLICY_H
#define LINGERD_POLICY_H

#include <stdint.h>

/* What becomes of a connection whose peer we give up on: at a deadline, over its byte cap, shed. */
enum give_up {
	/*
	 * close(2). The kernel resets the connection if bytes are unread or still come, else it
	 * waits for the FIN itself, as tcp_fin_timeout says.
	 */
	GIVE_UP_CLOSE,
	GIVE_UP_RESET,	    /* SO_LINGER with no time: RST at once, and no state is left */
	GIVE_UP_FIN_WAIT_2, /* as close(2), but the kernel waits fin_wait_2_s (TCP_LINGER2) */
};

/* No limit, where there may be none. */
#define POLICY_NO_CAP	UINT64_MAX
#define POLICY_NO_LIMIT UINT32_MAX

struct linger_policy {
	uint64_t idle_ns;      /* more than 0 */
	uint64_t total_ns;     /* more than 0 */
	uint64_t byte_cap;     /* bytes read and thrown away of one connection, or POLICY_NO_CAP */
	uint32_t max_per_user; /* open at once, or POLICY_NO_LIMIT */
	uint32_t fin_wait_2_s;
	enum give_up give_up;
};

#endif
