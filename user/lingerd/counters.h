/* SPDX-License-Identifier: MIT */
/*
 * What the daemon counts, named once: the fields of struct counters, the lines of a status answer
 * and the meanings that lingerctl prints all come from this table.
 *
 * Counters never go back while the daemon lives; gauges say how things are now. At any time
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
	X(lingers, "connections that linger now")                                                  \
	X(lingers_peak, "the most that ever lingered at once")                                     \
	X(max_connections, "connections that may linger at once")                                  \
	X(senders, "processes connected to hand over")                                             \
	X(handoffs, "connections taken over")                                                      \
	X(restored, "connections continued from the process before this one")                      \
	X(passed_on, "connections left to the process after this one")                             \
	X(ended_fin, "ended well: the peer closed, too")                                           \
	X(ended_reset, "ended by the peer's reset")                                                \
	X(ended_idle, "ended by the idle timeout")                                                 \
	X(ended_total, "ended by the total timeout")                                               \
	X(ended_byte_cap, "ended because the peer sent more than the byte cap")                    \
	X(ended_shed, "ended to make room for another: the oldest of a full daemon")               \
	X(ended_quota, "ended at once: too many of the same client")                               \
	X(ended_error, "ended by another error of the socket")                                     \
	X(ended_command, "cut by lingerctl close-all")                                             \
	X(ended_shutdown, "cut when the daemon ended")                                             \
	X(drained_bytes, "bytes read from peers and thrown away")                                  \
	X(refused_no_fd, "handoffs without a descriptor")                                          \
	X(refused_many_fds, "messages with more than one descriptor")                              \
	X(refused_not_tcp, "descriptors that were no TCP socket")                                  \
	X(refused_not_connected, "TCP sockets never connected, or listening")                      \
	X(refused_bad_message, "messages that could not be understood")                            \
	X(refused_version, "messages of another protocol version")                                 \
	X(refused_truncated, "messages whose descriptor the fd limit kept from us")                \
	X(refused_access, "processes that are not allowed to hand over")                           \
	X(refused_command, "commands of processes that may not give any")                          \
	X(status_requests, "questions like this one")                                              \
	X(commands, "commands of lingerctl that were carried out")                                 \
	X(intake_pauses, "times that intake waited because max_connections lingered")              \
	X(user_pauses, "times that a sender waited because of its user's quota")                   \
	X(senders_evicted, "idle senders disconnected to make room for others")

struct counters {
#define COUNTERS_FIELD(name, meaning) uint64_t name;
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

#endif
