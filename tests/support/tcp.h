/* SPDX-License-Identifier: MIT */
/* Real loopback TCP connections for tests. Each call fails the test (cmocka) rather than return an
 * error. */
#ifndef TEST_TCP_H
#define TEST_TCP_H

#include <stdint.h>

struct tcp_pair {
	int server; /* the accepted side */
	int client;
	uint16_t server_port;
	uint16_t client_port;
};

/* A listening socket on 127.0.0.1, port 0: any free one. Returns the fd; the port that it got in
 * *ret_port. */
int tcp_listen(uint16_t port, uint16_t *ret_port);
int tcp_connect(uint16_t port);
/* One connection on a fresh port; its listening socket is closed again. */
struct tcp_pair tcp_pair_open(void);

#endif
