/* SPDX-License-Identifier: MIT */
/* The lab's probe of a real server: until when it waits, and when nobody has its connection any more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "lingerbench/probe.h"

static int listener;
static uint16_t port;
static struct probe probe;

static int set_up(void **state)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof(address);

	(void)state;
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&address, length), 0);
	assert_int_equal(listen(listener, 4), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &length), 0);
	port = ntohs(address.sin_port);
	probe = (struct probe)PROBE_INIT;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	probe_close(&probe);
	close(listener);
	return 0;
}

/* As a server does that half-closes before it hands the connection over. */
static int answer_and_half_close(void)
{
	int fd;
	char request[100];

	assert_false(probe_step(&probe, "127.0.0.1", port));
	fd = accept(listener, NULL, NULL);
	assert_true(fd >= 0);
	assert_true(recv(fd, request, sizeof(request), 0) > 0);
	assert_int_equal(send(fd, "answer", 6, 0), 6);
	assert_false(probe_step(&probe, "127.0.0.1", port)); /* that was not all */
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	assert_true(probe_step(&probe, "127.0.0.1", port));
	return fd;
}

static void nobody_listens(void **state)
{
	(void)state;
	close(listener);
	listener = -1;
	assert_false(probe_step(&probe, "127.0.0.1", port));
	assert_int_equal(probe.fd, -1);
}

static void a_server_that_has_not_answered_is_asked_anew(void **state)
{
	(void)state;
	assert_false(probe_step(&probe, "127.0.0.1", port));
	close(accept(listener, NULL, NULL)); /* with the request unread: a reset */
	assert_false(probe_step(&probe, "127.0.0.1", port));
	close(answer_and_half_close());
}

static void who_lingers_has_it_still(void **state)
{
	int fd = answer_and_half_close();

	(void)state;
	for (uint64_t s = 1; s < 20; s++)
		assert_false(probe_is_gone(&probe, s * NS_PER_S));
	close(fd); /* with those bytes unread, or not */
	assert_true(probe_is_gone(&probe, 30 * NS_PER_S));
}

static void a_closed_connection_is_seen_by_a_byte(void **state)
{
	(void)state;
	close(answer_and_half_close());
	assert_false(probe_is_gone(&probe, NS_PER_S));
	/* Sends it. On loopback the reset is there when send() returns. */
	assert_true(probe_is_gone(&probe, 2 * NS_PER_S));
	probe_close(&probe);
	assert_true(probe_is_gone(&probe, 2 * NS_PER_S));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nobody_listens, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_server_that_has_not_answered_is_asked_anew,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(who_lingers_has_it_still, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_closed_connection_is_seen_by_a_byte, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
