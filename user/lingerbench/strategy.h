/* SPDX-License-Identifier: MIT */
/*
 * A close strategy: what a worker does with a connection when the last byte of the response is in
 * the kernel's hands. One strategy of the lab's own server is one file in strategies/ and one line in
 * strategies/list.def. Those of real servers stand in servers/: they are ways to configure the server,
 * and have no functions.
 */
#ifndef LINGERBENCH_STRATEGY_H
#define LINGERBENCH_STRATEGY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct strategy_settings {
	uint64_t so_linger_s;	  /* l_linger of so_linger */
	uint64_t tcp_linger2_s;	  /* of tcp_linger2 */
	uint64_t sleep_ns;	  /* of shutdown_sleep */
	uint64_t idle_timeout_ns; /* of those that linger until the peer's FIN */
	uint64_t total_timeout_ns;
	uint64_t added_hold_ns;	    /* added_hold.h, of the strategy at hand */
	const char *lingerd_socket; /* where needs_lingerd */
};

/* What a strategy has going on in a worker, beside the connection that the worker serves. */
struct strategy_rest {
	size_t open;	  /* connections that it was given and has not closed */
	int fd;		  /* readable: there is something to do; the same one all the time */
	uint64_t next_ns; /* and then (CLOCK_MONOTONIC) at the latest; UINT64_MAX: never */
};

/* What is done to lingerd in the middle of a trial, see fault.h. */
enum strategy_fault {
	STRATEGY_FAULTLESS,
	STRATEGY_KILLS_LINGERD,
	STRATEGY_STOPS_LINGERD,
};

struct strategy {
	const char *name;
	const char *summary; /* one line for people */
	bool needs_lingerd;
	bool drains_in_kernel;	   /* one for which the kernel drains */
	bool waits_for_peer;	   /* in the worker, as long as the peer pleases */
	bool sleeps;		   /* in the worker, as long as the settings say */
	bool untraced;		   /* the tracer is off in its trials; set for names that say so */
	enum strategy_fault fault; /* likewise */
	const char *
		setting; /* for the configuration of a real server that needs more than the above */

	/* Once in each worker before its first connection; may be NULL. 0 or a negative errno. */
	int (*prepare)(const struct strategy_settings *settings);

	/*
	 * Ends the connection. The fd is the strategy's from now on: closed when this returns, or, where
	 * there is a go_on(), later and by that. Blocks as long as the strategy makes a worker wait.
	 * Returns 0, or the negative errno of a handoff that failed and was ended natively instead.
	 */
	int (*finish)(int fd, const struct strategy_settings *settings);

	/*
	 * Only where connections go on in the worker while it serves others; else NULL. Does what there
	 * is to do for them, without blocking, and says in *ret what is left of it. Called once after
	 * prepare(), after each finish(), and whenever what it said of fd or time has come true.
	 */
	void (*go_on)(struct strategy_rest *ret);
};

#define STRATEGY(name) extern const struct strategy strategy_##name;
#include "lingerbench/strategies/list.def"
#undef STRATEGY

/* All strategies of the lab's own server, ending with NULL. */
extern const struct strategy *const strategies[];

/*
 * Apache's lingering close: half-close, read and discard until the peer's FIN, the idle or the
 * total timeout, then close. Also what lingerd's strategy does when a handoff fails, as a real
 * server would.
 */
void strategy_linger_natively(int fd, const struct strategy_settings *settings);

struct linger_client;

/* finish() of those that hand over: by that client, natively where it fails. */
int strategy_hand_over(struct linger_client *client, int fd,
		       const struct strategy_settings *settings);

#endif
