/* SPDX-License-Identifier: MIT */
/*
 * The linger engine: the core of the daemon. It owns connections from the moment they are taken
 * until they are closed, and knows no files, no epoll, no ring, no clock of its own: all of that comes
 * through struct linger_io, so that tests run it in simulated time with faults of their choice.
 *
 * The life of one fd:
 *
 *	          linger_engine_take()
 *	                   |
 *	  half-close, unless the sender did
 *	                   |
 *	       first read, before any epoll_ctl()  ---- ENOTCONN ---> refused, closed
 *	                   |         \
 *	          nothing yet there    FIN, reset, error ---> closed
 *	                   |
 *	  half-close, unless the sender did; before that, where the kernel can drain it, it is given that to do
 *	                   |
 *	    open: watched, with a deadline
 *	                   |
 *	    linger_engine_ready()   reads and discards; data restarts the idle deadline, and after a full turn of
 *	                            it there is a rest (resting.h)
 *	    linger_engine_expire()  a first look at the send queue; idle or total deadline
 *	    linger_engine_shed()    the oldest makes room for another
 *	    linger_engine_end_all() the daemon ends, or the operator wants it
 *	                   |
 *	    closed, counted under exactly one cause
 *
 * Invariants:
 * - An fd given to linger_engine_take() is closed exactly once, by the engine.
 * - An fd is open if and only if it has a deadline. It is watched, unless the kernel has no room for that:
 *   then it is read at its deadlines. Only those that rest are watched without their data.
 * - Its deadline is the earlier one of its idle and its total timeout.
 * - It is unwatched before it is closed. The sender may still hold the same socket, and epoll
 *   would go on reporting it under a number that means another connection by then; and what waits in the ring holds it itself.
 * - handoffs + restored == lingers + the sum of all ended_... + passed_on
 * - lingers == the sum of what its users have open
 *
 * - times.all has counted as many as the sum of all ended_..., times.fin as many as ended_fin
 *
 * What is known of the end: a reset whose error the server has already met in a write of its own
 * reads as end of file, so it is counted as a FIN.
 *
 * No call blocks or allocates, but for linger_engine_new().
 */
#ifndef LINGERD_ENGINE_H
#define LINGERD_ENGINE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "lingerd/counters.h"
#include "lingerd/ends.h"
#include "lingerd/policy.h"
#include "lingerd/users.h"
#include "metrics/histogram.h"

/* The outside world. Errors are negative errnos; no call may block. */
struct linger_io {
	uint64_t (*now_ns)(void *context); /* never goes back */
	/*
	 * These are to be read now, one after the other, and perhaps closed: what will be asked of each may be asked of all at
	 * once. And they have been: what was put off until now (to close them) is done.
	 */
	void (*begin)(void *context, const int *fds, int count);
	void (*end)(void *context);
	/* Nothing to do about failures: the peer may have reset the connection long ago. */
	void (*half_close)(void *context, int fd);
	/* Reads and throws away a bounded amount. Bytes, 0 at the peer's FIN, -EAGAIN, error. */
	ssize_t (*discard)(void *context, int fd);
	/* Has the kernel throw away what comes from now on (kernel_drain.h). Whether it does. */
	bool (*drain_in_kernel)(void *context, int fd);
	/* How many bytes have ever come on it, modulo 2^32; and how many of them have been read. */
	uint32_t (*received)(void *context, int fd);
	uint32_t (*consumed)(void *context, int fd);
	/* How many bytes wait to be read; 0 of one that the kernel drains. */
	uint32_t (*unread)(void *context, int fd);
	/* Throws away notices about the socket itself, which are no data and wake us, too. Whether more may be there. */
	bool (*discard_notices)(void *context, int fd);
	/* Bytes that the peer has not acknowledged yet; our FIN counts as one. */
	int (*unsent)(void *context, int fd, uint32_t *ret);
	/* The address of the peer. 0 or a negative errno. */
	int (*peer)(void *context, int fd, struct sockaddr_storage *ret);
	/* How close() is to end the connection; never called with GIVE_UP_CLOSE. */
	void (*give_up)(void *context, int fd, const struct linger_policy *policy);
	/*
	 * linger_engine_ready() is called if data or notices are there, or when some come. Of one that is watched already or
	 * pauses, it ends the pause and looks anew.
	 */
	int (*watch)(void *context, int fd, bool for_data); /* not for data: for the end alone */
	/* It was ready, has been read until there was no more, and is to be called again for what comes from now on. */
	void (*watch_again)(void *context, int fd, bool for_data);
	/* It was ready, and is not to be called for data before it is watched again. One that is not watched is none of its errors. */
	void (*pause)(void *context, int fd);
	/* One that is not watched is none of its errors. */
	void (*unwatch)(void *context, int fd);
	/* Must not block, whatever SO_LINGER the sender has set. */
	void (*close)(void *context, int fd);
};

struct linger_engine;

enum { LINGER_BATCH = 16 };

/* What is said of a connection that is handed over. */
struct handoff {
	uint16_t user;	  /* the sender's place in the engine's list of users */
	bool half_closed; /* the sender has shut the connection down */
	/* It may ask for less patience than its user has, never for more. 0: it does not ask. */
	uint32_t idle_timeout_ms;
	uint32_t total_timeout_ms;
};

/*
 * fd_numbers: fds from 0 to fd_numbers - 1 can be taken. The tables cost 72 bytes for each, in
 * pages that are touched only when such an fd lingers. io, its context, users and counters stay the
 * caller's and must outlive the engine. 0 or -ENOMEM with *ret untouched.
 */
int linger_engine_new(struct linger_engine **ret, uint32_t fd_numbers, const struct linger_io *io,
		      void *io_context, struct users *users, struct counters *counters);
/* Frees the engine; nothing may be open any more. NULL is allowed. */
void linger_engine_free(struct linger_engine *engine);

/*
 * To be called when policies of users have changed: they hold at once, also for the connections
 * that linger already, of which it looks at each.
 */
void linger_engine_policies_changed(struct linger_engine *engine);

/*
 * How many connections of one client may linger at once, or POLICY_NO_LIMIT. Those above are closed
 * when they have been read once. Only those taken under a limit are counted.
 */
void linger_engine_limit_clients(struct linger_engine *engine, uint32_t most);

/*
 * Where a daemon has several processes: each counts its clients where the others see it, in a table that is given to the
 * engine, and one asks how many of a client's connections linger elsewhere.
 */
struct clients;
typedef uint32_t linger_clients_fn(const void *context, const struct sockaddr_storage *client);
void linger_engine_use_clients(struct linger_engine *engine, struct clients *clients);
void linger_engine_see_clients(struct linger_engine *engine, linger_clients_fn *elsewhere,
			       const void *context);

/* Takes a connection, and its fd in any case. */
void linger_engine_take(struct linger_engine *engine, int fd, const struct handoff *handoff);
/* The same for some at once, at most LINGER_BATCH; for less than linger_engine_take() of each, where io can do that. */
void linger_engine_take_all(struct linger_engine *engine, const int *fds,
			    const struct handoff *handoffs, int count);
/* fd is readable, at its end, in error, or has notices. One that is not open is none of ours. */
void linger_engine_ready(struct linger_engine *engine, int fd);
/* The same of some at once, at most LINGER_BATCH. */
void linger_engine_ready_all(struct linger_engine *engine, const int *fds, int count);
/*
 * Reads what is due once more, and closes it. We may come late (stopped, or short of CPU), and what
 * the peer had sent in time must neither be counted as silence nor reset the connection by being
 * unread. The total deadline is final; the idle deadline spares a connection that had data, or
 * whose send queue has shrunk since the last look: a peer that reads slowly is alive.
 */
void linger_engine_expire(struct linger_engine *engine);
/*
 * When linger_engine_expire() has something to do next, which may be to end a rest; UINT64_MAX: never. Deadlines come up to
 * DEADLINES_TICK_NS late, so that many of them cost one wakeup, and never early.
 */
uint64_t linger_engine_next_ns(const struct linger_engine *engine);

/* Reads the one that lingers for longest once more, and gives it up. Something must be open. */
void linger_engine_shed(struct linger_engine *engine);

/*
 * What has to be known of an open connection to go on with it in another process. Times are of the
 * clock of linger_io, which is the same for both.
 */
struct linger_record {
	uint64_t taken_ns;
	uint64_t drained;
	uint32_t moved_ms;
	uint32_t idle_timeout_ms;
	uint32_t total_timeout_ms;
	uint32_t unsent;
	uint32_t in_kernel; /* not 0: the kernel throws away what comes */
	uint32_t received;
	uint32_t uid;  /* of the user whose process handed it over */
	uint32_t user; /* whose place in the list of users of this process */
};

/*
 * Takes the oldest one out, open as it is: the fd is the caller's from now on. It is in no counter
 * then but in handoffs; the caller sees to that. False: nothing is open.
 */
bool linger_engine_release(struct linger_engine *engine, int *ret_fd, struct linger_record *ret);

/*
 * Goes on with one that was released, here or in another process, and takes its fd in any case.
 * record->user must be right for this process. Quotas are not asked, times that cannot be are
 * corrected. Not counted as a handoff.
 */
void linger_engine_adopt(struct linger_engine *engine, int fd, const struct linger_record *record);

/* When the oldest one was taken that is open; UINT64_MAX: none is. */
uint64_t linger_engine_oldest_ns(const struct linger_engine *engine);

/*
 * How long connections have lingered that are closed now, from when the first process took them: 0 if the
 * first read met the end. No cause is left out.
 */
struct linger_times {
	struct metrics_histogram all;
	struct metrics_histogram fin; /* those that ended well: how long the peer's FIN took */
};

/* They go on being counted as long as the engine lives. */
const struct linger_times *linger_engine_times(const struct linger_engine *engine);

/* Closes all that is open, under this cause. */
void linger_engine_end_all(struct linger_engine *engine, enum linger_end cause);

#endif
