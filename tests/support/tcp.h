/* SPDX-License-Identifier: MIT */
/* Real loopback TCP connections for tests. Each call fails the test (cmocka) rather than return an
 * error. */
#ifndef TEST_TCP_H
#define TEST_TCP_H

#include <stddef.h>
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
/* A port of 127.0.0.1 for a program that is yet to start: nobody listens there, it is none that the kernel gives to
 * clients or for port 0, and none in the reach of another test that runs now. */
uint16_t tcp_free_port(void);
int tcp_connect(uint16_t port);
/* One connection on a fresh port; its listening socket is closed again. */
struct tcp_pair tcp_pair_open(void);

/* Writes length bytes, blocking. 0, or the negative errno of the write that failed. */
int tcp_write(int fd, size_t length);
/* Reads to the end, each read waiting up to 30 s. 0 at a clean end, or a negative errno; bytes read
 * in *ret_length in both cases. */
int tcp_read_to_end(int fd, size_t *ret_length);

#endif
