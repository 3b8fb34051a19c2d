/* SPDX-License-Identifier: MIT */
#include "tests/support/tcp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static struct sockaddr_in loopback(uint16_t port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_port = htons(port),
				     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static uint16_t local_port(int fd)
{
	struct sockaddr_in address;
	socklen_t length = sizeof(address);

	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
	return ntohs(address.sin_port);
}

int tcp_listen(uint16_t port, uint16_t *ret_port)
{
	struct sockaddr_in address = loopback(port);
	int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 4096), 0);
	*ret_port = local_port(fd);
	return fd;
}

static unsigned int from_environment(const char *name, unsigned int otherwise)
{
	const char *text = getenv(name);

	return text ? (unsigned int)strtoul(text, NULL, 10) : otherwise;
}

static bool is_free(uint16_t port)
{
	struct sockaddr_in address = loopback(port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool bound;

	assert_true(fd >= 0);
	bound = !bind(fd, (struct sockaddr *)&address, sizeof(address));
	close(fd);
	return bound;
}

uint16_t tcp_free_port(void)
{
	unsigned int job = from_environment("TEST_JOB", 0), jobs = from_environment("TEST_JOBS", 1);
	FILE *file = fopen("/proc/sys/net/ipv4/ip_local_port_range", "re");
	unsigned int first_of_clients, slots, port;

	assert_non_null(file);
	assert_int_equal(fscanf(file, "%u", &first_of_clients), 1);
	fclose(file);
	slots = first_of_clients / 2 / jobs;
	assert_true(slots > 0 && job < jobs);
	do { /* as free_ports of tests/cli/ports.common */
		uint32_t random;

		assert_int_equal(getrandom(&random, sizeof(random), 0), sizeof(random));
		port = first_of_clients / 2 + job + random % slots * jobs;
	} while (!is_free((uint16_t)port));
	return (uint16_t)port;
}

int tcp_connect(uint16_t port)
{
	struct sockaddr_in address = loopback(port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

struct tcp_pair tcp_pair_open(void)
{
	struct tcp_pair pair;
	int listener = tcp_listen(0, &pair.server_port);

	pair.client = tcp_connect(pair.server_port);
	pair.client_port = local_port(pair.client);
	pair.server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(pair.server >= 0);
	close(listener);
	return pair;
}

int tcp_write(int fd, size_t length)
{
	static const char zeroes[65536];

	while (length) {
		size_t part = length < sizeof(zeroes) ? length : sizeof(zeroes);
		ssize_t n = send(fd, zeroes, part, MSG_NOSIGNAL);

		if (n < 0)
			return -errno;
		length -= (size_t)n;
	}
	return 0;
}

int tcp_read_to_end(int fd, size_t *ret_length)
{
	const struct timeval patience = { .tv_sec = 30 };
	char bytes[65536];

	*ret_length = 0;
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
	for (;;) {
		ssize_t n = recv(fd, bytes, sizeof(bytes), 0);

		if (n <= 0)
			return n ? -errno : 0;
		*ret_length += (size_t)n;
	}
}
