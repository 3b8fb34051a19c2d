/* SPDX-License-Identifier: MIT */
/*
 * What the daemon counts, named once: the fields of struct counters, the lines of a status answer,
 * the meanings that lingerctl prints and the metrics all come from this table. Kinds:
 *
 *	GAUGE	 how things are now
 *	COUNT	 does not go back while the daemon lives; but for passed_on, when nobody takes what was passed on
 *	END	 likewise, of lingers by their cause: ended_CAUSE
 *	REFUSAL	 likewise, of messages by theirs: refused_CAUSE
 *
 * At any time
 *
 *	handoffs + restored == lingers + the sum of the ended_... + passed_on
 *
 * and every message that came is in handoffs, status_requests, commands or one of the refused_..., but for
 * what processes ask that are turned away: each of them is in refused_access, and so are the
 * descriptors of theirs that were too many to linger.
 */
#ifndef LINGERD_COUNTERS_H
#define LINGERD_COUNTERS_H

#include <stddef.h>
#include <stdint.h>

#define COUNTERS(X)                                                                                \
	X(GAUGE, lingers, "connections that linger now")                                           \
	X(GAUGE, lingers_peak, "the most that ever lingered at once")                              \
	X(GAUGE, max_connections, "connections that may linger at once")                           \
	X(GAUGE, senders, "processes connected to hand over")                                      \
	X(COUNT, handoffs, "connections taken over")                                               \
	X(COUNT, restored, "connections continued from the process before this one")               \
	X(COUNT, passed_on, "connections left to the process after this one")                      \
	X(END, ended_fin, "ended well: the peer closed, too")                                      \
	X(END, ended_reset, "ended by the peer's reset")                                           \
	X(END, ended_idle, "ended by the idle timeout")                                            \
	X(END, ended_total, "ended by the total timeout")                                          \
	X(END, ended_byte_cap, "ended because the peer sent more than the byte cap")               \
	X(END, ended_shed, "ended to make room for another: the oldest of a full daemon")          \
	X(END, ended_quota, "ended at once: too many of the same client")                          \
	X(END, ended_error, "ended by another error of the socket")                                \
	X(END, ended_command, "cut by lingerctl close-all")                                        \
	X(END, ended_shutdown, "cut when the daemon ended")                                        \
	X(END, ended_lost, "cut because a worker process died that had them")                      \
	X(COUNT, drained_bytes, "bytes from peers that were thrown away")                          \
	X(COUNT, kernel_drained_bytes, "of these, those that the kernel threw away by itself")     \
	X(COUNT, in_kernel, "connections that were given to the kernel to drain")                  \
	X(GAUGE, drains_in_kernel, "whether connections can be given to the kernel: 1 or 0")       \
	X(GAUGE, uses_io_uring, "whether system calls are made many at a time: 1 or 0")            \
	X(REFUSAL, refused_no_fd, "handoffs without a descriptor")                                 \
	X(REFUSAL, refused_many_fds, "messages with more than one descriptor")                     \
	X(REFUSAL, refused_not_tcp, "descriptors that were no TCP socket")                         \
	X(REFUSAL, refused_not_connected, "TCP sockets never connected, or listening")             \
	X(REFUSAL, refused_bad_message, "messages that could not be understood")                   \
	X(REFUSAL, refused_version, "messages of another protocol version")                        \
	X(REFUSAL, refused_truncated, "messages whose descriptor the fd limit kept from us")       \
	X(REFUSAL, refused_access, "processes that are not allowed to hand over")                  \
	X(REFUSAL, refused_command, "commands of processes that may not give any")                 \
	X(COUNT, status_requests, "questions like this one")                                       \
	X(COUNT, commands, "commands of those who may give them")                                  \
	X(COUNT, intake_pauses, "times that intake waited because max_connections lingered")       \
	X(COUNT, user_pauses, "times that a sender waited because of its user's quota")            \
	X(COUNT, unwatched,                                                                        \
	  "connections that the kernel had no room to watch: ended at a deadline")                 \
	X(COUNT, senders_evicted, "idle senders disconnected to make room for others")

struct counters {
#define COUNTERS_FIELD(kind, name, meaning) uint64_t name;
	COUNTERS(COUNTERS_FIELD)
#undef COUNTERS_FIELD
};

/* More than the text of all counters at their largest. */
enum { COUNTERS_TEXT_MAX = 4096 };

/* Writes "name value\n" for each counter and a final NUL; returns the length without it. */
size_t counters_format(const struct counters *counters, char text[COUNTERS_TEXT_MAX]);

/*
 * Writes how lingers have ended, "12 fin, 3 byte cap": those that there were, for people; "none" if there
 * were none.
 */
void counters_format_ends(const struct counters *counters, char text[COUNTERS_TEXT_MAX]);

/* What the counter of this name means, or NULL when there is none (a newer daemon's). */
const char *counters_meaning(const char *name);

enum counter_kind { COUNTER_GAUGE, COUNTER_COUNT, COUNTER_END, COUNTER_REFUSAL };

/* The table, row by row: of the counters, in their order. */
struct counter {
	const char *name;
	const char *cause; /* of an END or a REFUSAL: its name without "ended_" or "refused_" */
	const char *meaning;
	enum counter_kind kind;
};

enum { COUNTERS_COUNT = sizeof(struct counters) / sizeof(uint64_t) };
extern const struct counter counters_table[COUNTERS_COUNT];

uint64_t counters_value(const struct counters *counters, size_t row);
/* Sets the counter of this name; a name that is in no row is ignored (a newer daemon's). */
void counters_set(struct counters *counters, const char *name, uint64_t value);
/* Adds each counter of another process of the same daemon. */
void counters_add(struct counters *to, const struct counters *more);
/* All counters of one kind together. */
uint64_t counters_sum(const struct counters *counters, enum counter_kind kind);
/*
 * What has been added to each since `before`, of the same daemon; gauges are as they are now. Where one has
 * gone back, all of `now` is new: it is another daemon's.
 */
void counters_since(const struct counters *now, const struct counters *before,
		    struct counters *ret);

#endif
