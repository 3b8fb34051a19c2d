/* SPDX-License-Identifier: MIT */
/* A real lingerd in a folder of its own, and raw senders to it. Calls fail the test on errors. */
#ifndef TEST_LINGERD_H
#define TEST_LINGERD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/support/process.h"
#include "tests/support/tcp.h"

struct lingerd {
	struct process process;
	char folder[256];
	char socket[300];
	int idle_fds; /* what it has open without senders and lingers */
};

/* Whether the programs under test are built with sanitizers. */
bool built_sanitized(void);

/* Starts it in a fresh folder, with options (words, NULL at the end), and waits until it answers.
 */
void lingerd_start(struct lingerd *daemon, const char *const options[]);
/* The same with words before it on the command line: "valgrind", "-q", NULL. */
void lingerd_start_under(struct lingerd *daemon, const char *const wrapper[],
			 const char *const options[]);
/* Starts it again in the folder that it had. */
void lingerd_restart(struct lingerd *daemon, const char *const options[]);
/* Starts another one on the same socket with --take-over, and waits until the one before has ended. name: of its
 * output. */
void lingerd_take_over(struct lingerd *daemon, const char *name, const char *const options[]);
/* Ends it with SIGTERM, removes the folder; the test fails unless it exits with 0. */
void lingerd_stop(struct lingerd *daemon);

uint64_t lingerd_counter(const struct lingerd *daemon, const char *name);
/* Waits up to 30 s until the counter has the value; the test fails if it does not get there. */
void lingerd_expect(const struct lingerd *daemon, const char *name, uint64_t value);
/* Waits until the daemon has as few fds open as in the beginning; all senders must be closed. */
void lingerd_expect_idle_fds(const struct lingerd *daemon);

struct linger_client;

/* liblinger's connection to it, which is the caller's. */
struct linger_client *lingerd_open_client(const struct lingerd *daemon);
/* Hands a fresh connection over, and waits for a daemon that is slower than we are. Only its client's side
 * is open then. */
struct tcp_pair lingerd_hand_over(struct linger_client *client);

/* A connection to the daemon without liblinger; and a datagram with fds on it. */
int sender_connect(const struct lingerd *daemon);
void sender_send(int sender, const void *bytes, size_t length, const int *fds, size_t fd_count);

#endif
