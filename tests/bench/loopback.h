/* SPDX-License-Identifier: MIT */
/* What the programs beside this have in common: connections on loopback, clocks. Each failure ends the program. */
#ifndef BENCH_LOOPBACK_H
#define BENCH_LOOPBACK_H

#include <stdint.h>
#include <time.h>

struct pair {
	int server; /* the accepted side */
	int client;
};

/* Prints what the program was doing, and errno's reason. */
_Noreturn void bench_die(const char *doing);

uint64_t bench_now_ns(clockid_t clock);
void bench_sleep_ns(uint64_t ns);

/*
 * An established connection. They go to 32 addresses in turn, each a tuple of its own with each port of a client, since
 * thousands are in TIME_WAIT.
 */
struct pair bench_connect(void);

#endif
