/* SPDX-License-Identifier: MIT */
/* The lingerd of a soak: started, asked, looked at. Each call ends the soak with a message rather than return an error. */
#ifndef TEST_SOAK_DAEMON_H
#define TEST_SOAK_DAEMON_H

#include <stdint.h>
#include <sys/types.h>

struct soak_daemon {
	pid_t pid;
	char folder[64];
	char socket[80];
};

/* Pages that are touched for the first time late: of tables that are as large as the limit of open files. */
enum { SOAK_RSS_SLACK_KIB = 128 };

struct soak_look {
	int fds;
	long rss_kib;
	double cpu_s; /* since it started */
};

/* Counters that must be 0 at the end; NULL behind them. */
extern const char *const soak_never[];

void soak_start(struct soak_daemon *ret, unsigned int idle_ms);
void soak_stop(struct soak_daemon *daemon);
uint64_t soak_counter(const struct soak_daemon *daemon, const char *name);
void soak_expect(const struct soak_daemon *daemon, const char *name, uint64_t value);
void soak_wait_for(const struct soak_daemon *daemon, const char *name, uint64_t value,
		   unsigned int seconds);
void soak_look(const struct soak_daemon *daemon, struct soak_look *ret);

__attribute__((noreturn, format(printf, 1, 2))) void soak_fail(const char *format, ...);

#endif
