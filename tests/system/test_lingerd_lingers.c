/* SPDX-License-Identifier: MIT */
/* What the daemon is for: real connections, handed over, come to a good end or to their deadline.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <linux/net_tstamp.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "liblinger/linger.h"
#include "tests/support/lingerd.h"
#include "tests/support/tcp.h"

enum { RESPONSE = 20000, UPLOAD = 300000 };

static void hand_over(struct linger_client *client, int fd)
{
	assert_int_equal(linger_handoff(client, fd), 0);
	assert_int_equal(close(fd), 0);
}

/* The control: the same peer meets a plain close, and is reset. Else the next test proves nothing.
 */
static void a_late_peer_is_reset_by_a_plain_close(void **state)
{
	struct tcp_pair pair = tcp_pair_open();
	int error = 0;

	(void)state;
	assert_int_equal(tcp_write(pair.server, RESPONSE), 0);
	close(pair.server);
	for (int i = 0; i < 100 && !error; i++) {
		error = tcp_write(pair.client, UPLOAD / 100);
		usleep(1000);
	}
	assert_true(error == -ECONNRESET || error == -EPIPE);
	close(pair.client);
}

static void a_late_peer_is_drained_and_not_reset(void **state)
{
	static const char *const options[] = { "--idle-timeout", "30", NULL };
	struct tcp_pair pair = tcp_pair_open();
	struct linger_client *client;
	struct lingerd daemon;
	size_t length;

	(void)state;
	lingerd_start(&daemon, options);
	client = lingerd_open_client(&daemon);
	assert_int_equal(tcp_write(pair.client, 1000), 0); /* unread when the server closes */
	assert_int_equal(tcp_write(pair.server, RESPONSE), 0);
	hand_over(client, pair.server);
	for (int i = 0; i < 100; i++) {
		assert_int_equal(tcp_write(pair.client, UPLOAD / 100), 0);
		usleep(1000);
	}
	assert_int_equal(tcp_read_to_end(pair.client, &length), 0);
	assert_int_equal(length, RESPONSE);
	lingerd_expect(&daemon, "drained_bytes", UPLOAD + 1000);
	assert_int_equal(lingerd_counter(&daemon, "lingers"), 1);
	close(pair.client);
	lingerd_expect(&daemon, "ended_fin", 1);
	assert_int_equal(lingerd_counter(&daemon, "lingers"), 0);
	linger_client_close(client);
	lingerd_stop(&daemon);
}

static void a_flood_is_drained_while_others_are_served(void **state)
{
	static const char *const options[] = { "--idle-timeout", "30", NULL };
	struct tcp_pair flood = tcp_pair_open(), quiet = tcp_pair_open();
	struct linger_client *client;
	struct lingerd daemon;

	(void)state;
	lingerd_start(&daemon, options);
	client = lingerd_open_client(&daemon);
	hand_over(client, flood.server);
	hand_over(client, quiet.server);
	close(quiet.client);
	assert_int_equal(tcp_write(flood.client, 64 << 20), 0);
	lingerd_expect(&daemon, "ended_fin", 1);
	lingerd_expect(&daemon, "drained_bytes", 64 << 20);
	close(flood.client);
	lingerd_expect(&daemon, "ended_fin", 2);
	linger_client_close(client);
	lingerd_stop(&daemon);
}

static void the_idle_deadline_ends_a_silent_peer(void **state)
{
	static const char *const options[] = { "--idle-timeout", "0.3", NULL };
	struct tcp_pair pair = tcp_pair_open();
	struct linger_client *client;
	struct lingerd daemon;
	uint64_t began;
	size_t length;

	(void)state;
	lingerd_start(&daemon, options);
	client = lingerd_open_client(&daemon);
	began = clock_now_ns();
	hand_over(client, pair.server);
	lingerd_expect(&daemon, "ended_idle", 1);
	assert_true(clock_now_ns() - began >= 300 * NS_PER_MS);
	/* All was read, so the close itself resets nothing. */
	assert_int_equal(tcp_read_to_end(pair.client, &length), 0);
	close(pair.client);
	linger_client_close(client);
	lingerd_stop(&daemon);
}

static void the_total_deadline_ends_a_peer_that_never_stops(void **state)
{
	static const char *const options[] = { "--idle-timeout", "30", "--total-timeout", "0.5",
					       NULL };
	struct tcp_pair pair = tcp_pair_open();
	struct linger_client *client;
	struct lingerd daemon;
	uint64_t began;

	(void)state;
	lingerd_start(&daemon, options);
	client = lingerd_open_client(&daemon);
	began = clock_now_ns();
	hand_over(client, pair.server);
	while (!tcp_write(pair.client, 100)) {
		assert_true(clock_now_ns() - began < 30 * NS_PER_S);
		usleep(10000);
	}
	assert_true(clock_now_ns() - began >= 500 * NS_PER_MS);
	lingerd_expect(&daemon, "ended_total", 1);
	assert_int_equal(lingerd_counter(&daemon, "ended_idle"), 0);
	close(pair.client);
	linger_client_close(client);
	lingerd_stop(&daemon);
}

static void a_reset_is_counted_as_one(void **state)
{
	static const char *const options[] = { "--idle-timeout", "30", NULL };
	const struct linger hard = { .l_onoff = 1, .l_linger = 0 };
	struct tcp_pair pair = tcp_pair_open();
	struct linger_client *client;
	struct lingerd daemon;

	(void)state;
	lingerd_start(&daemon, options);
	client = lingerd_open_client(&daemon);
	hand_over(client, pair.server);
	lingerd_expect(&daemon, "lingers", 1);
	setsockopt(pair.client, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	close(pair.client);
	lingerd_expect(&daemon, "ended_reset", 1);
	linger_client_close(client);
	lingerd_stop(&daemon);
}

/* With SO_LINGER, close() blocks even on a non-blocking socket: one sender could stop the daemon.
 */
static void so_linger_of_the_server_does_not_stop_the_daemon(void **state)
{
	static const char *const options[] = { "--idle-timeout", "0.2", NULL };
	const struct linger wait = { .l_onoff = 1, .l_linger = 25 };
	struct tcp_pair pair = tcp_pair_open();
	struct linger_client *client;
	struct lingerd daemon;
	char bytes[65536] = { 0 };

	(void)state;
	lingerd_start(&daemon, options);
	client = lingerd_open_client(&daemon);
	assert_int_equal(setsockopt(pair.server, SOL_SOCKET, SO_LINGER, &wait, sizeof(wait)), 0);
	while (send(pair.server, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		; /* until the send queue is full, and nobody reads */
	hand_over(client, pair.server);
	lingerd_expect(&daemon, "ended_idle", 1); /* its question times out after 5 s */
	linger_client_close(client);
	lingerd_stop(&daemon);
	close(pair.client);
}

static uint64_t cpu_ticks(pid_t pid)
{
	char path[64];
	unsigned long user = 0, system = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	file = fopen(path, "r");
	assert_non_null(file);
	assert_int_equal(fscanf(file, "%*d %*s %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
				&user, &system),
			 2);
	fclose(file);
	return user + system;
}

/* epoll reports a socket for as long as anybody has it open, also under an fd closed long ago. */
static void a_sender_that_keeps_its_fd_makes_nothing_spin(void **state)
{
	static const char *const options[] = { "--idle-timeout", "30", NULL };
	struct tcp_pair pair = tcp_pair_open(), other = tcp_pair_open();
	struct linger_client *client;
	struct lingerd daemon;
	uint64_t before;

	(void)state;
	lingerd_start(&daemon, options);
	client = lingerd_open_client(&daemon);
	assert_int_equal(linger_handoff(client, pair.server), 0);
	lingerd_expect(&daemon, "lingers", 1);
	assert_int_equal(linger_handoff(client, pair.server), 0); /* twice is allowed, too */
	lingerd_expect(&daemon, "lingers", 2);
	close(pair.client);
	lingerd_expect(&daemon, "ended_fin", 2);
	before = cpu_ticks(daemon.process.pid);
	usleep(600000);
	assert_true(cpu_ticks(daemon.process.pid) - before < 20); /* of 60 */
	/* Another connection has the number by now. */
	hand_over(client, other.server);
	lingerd_expect(&daemon, "lingers", 1);
	close(pair.server);
	close(other.client);
	lingerd_expect(&daemon, "ended_fin", 3);
	linger_client_close(client);
	lingerd_stop(&daemon);
}

/* Time stamps of what was sent wait in the error queue: they wake epoll, and recv() sees none. */
static void time_stamps_that_nobody_read_make_nothing_spin(void **state)
{
	enum { WRITES = 200 }; /* more than are thrown away in one go */
	static const char *const options[] = { "--idle-timeout", "30", NULL };
	const int stamps = SOF_TIMESTAMPING_TX_ACK | SOF_TIMESTAMPING_SOFTWARE;
	struct tcp_pair pair = tcp_pair_open();
	struct pollfd look = { .fd = pair.server };
	struct linger_client *client;
	struct lingerd daemon;
	char bytes[WRITES];
	uint64_t before;

	(void)state;
	lingerd_start(&daemon, options);
	client = lingerd_open_client(&daemon);
	assert_int_equal(setsockopt(pair.server, SOL_SOCKET, SO_TIMESTAMPING, &stamps,
				    sizeof(stamps)),
			 0);
	for (int i = 0; i < WRITES; i++)
		assert_int_equal(tcp_write(pair.server, 1), 0);
	assert_int_equal(recv(pair.client, bytes, WRITES, MSG_WAITALL), WRITES);
	assert_int_equal(poll(&look, 1, 30000), 1);
	assert_true(look.revents & POLLERR);
	hand_over(client, pair.server);
	lingerd_expect(&daemon, "lingers", 1);
	before = cpu_ticks(daemon.process.pid);
	usleep(600000);
	assert_true(cpu_ticks(daemon.process.pid) - before < 20); /* of 60 */
	close(pair.client);
	lingerd_expect(&daemon, "ended_fin", 1);
	linger_client_close(client);
	lingerd_stop(&daemon);
}

static void a_daemon_that_was_stopped_resets_nobody(void **state)
{
	enum { PEERS = 300 }; /* more than there are events in a round */
	static const char *const options[] = { "--idle-timeout", "2", NULL };
	static int peers[PEERS];
	struct linger_client *client;
	struct lingerd daemon;
	size_t length;

	(void)state;
	lingerd_start(&daemon, options);
	client = lingerd_open_client(&daemon);
	for (int i = 0; i < PEERS; i++) {
		struct tcp_pair pair = tcp_pair_open();

		peers[i] = pair.client;
		while (linger_handoff(client, pair.server) == -EAGAIN)
			usleep(1000);
		close(pair.server);
	}
	lingerd_expect(&daemon, "handoffs", PEERS);
	assert_int_equal(kill(daemon.process.pid, SIGSTOP), 0);
	for (int i = 0; i < PEERS; i++)
		assert_int_equal(tcp_write(peers[i], 100), 0);
	usleep(2200000);
	assert_int_equal(kill(daemon.process.pid, SIGCONT), 0);
	lingerd_expect(&daemon, "drained_bytes", PEERS * 100);
	lingerd_expect(&daemon, "ended_idle", PEERS);
	for (int i = 0; i < PEERS; i++) {
		assert_int_equal(tcp_read_to_end(peers[i], &length), 0);
		close(peers[i]);
	}
	linger_client_close(client);
	lingerd_stop(&daemon);
}

/* Below SO_RCVLOWAT data wake nobody, the idle deadline finds them. */
static void a_high_low_watermark_hides_no_data(void **state)
{
	static const char *const options[] = { "--idle-timeout", "1", NULL };
	const int watermark = 50000;
	struct tcp_pair pair = tcp_pair_open();
	struct linger_client *client;
	struct lingerd daemon;
	size_t length;

	(void)state;
	lingerd_start(&daemon, options);
	client = lingerd_open_client(&daemon);
	assert_int_equal(setsockopt(pair.server, SOL_SOCKET, SO_RCVLOWAT, &watermark,
				    sizeof(watermark)),
			 0);
	hand_over(client, pair.server);
	lingerd_expect(&daemon, "handoffs", 1);
	assert_int_equal(tcp_write(pair.client, 1000), 0);
	lingerd_expect(&daemon, "ended_idle", 1);
	assert_int_equal(lingerd_counter(&daemon, "drained_bytes"), 1000);
	assert_int_equal(tcp_read_to_end(pair.client, &length), 0);
	close(pair.client);
	linger_client_close(client);
	lingerd_stop(&daemon);
}

/* False: this kernel has no MPTCP. */
static bool mptcp_pair_open(struct tcp_pair *ret)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_MPTCP);

	if (listener < 0)
		return false;
	assert_int_equal(bind(listener, (struct sockaddr *)&address, length), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &length), 0);
	ret->client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_MPTCP);
	assert_int_equal(connect(ret->client, (struct sockaddr *)&address, length), 0);
	ret->server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(ret->server >= 0);
	close(listener);
	return true;
}

static void mptcp_is_lingered_like_tcp(void **state)
{
	static const char *const options[] = { "--idle-timeout", "2", NULL };
	struct tcp_pair ends, silent;
	struct linger_client *client;
	struct lingerd daemon;
	size_t length;

	(void)state;
	if (!mptcp_pair_open(&ends)) {
		print_message("# SKIP: this kernel has no MPTCP\n");
		skip();
	}
	assert_true(mptcp_pair_open(&silent));
	lingerd_start(&daemon, options);
	client = lingerd_open_client(&daemon);
	assert_int_equal(tcp_write(ends.client, 1000), 0); /* unread when the server closes */
	assert_int_equal(tcp_write(ends.server, RESPONSE), 0);
	hand_over(client, ends.server);
	hand_over(client, silent.server);
	assert_int_equal(tcp_write(ends.client, UPLOAD), 0);
	assert_int_equal(tcp_read_to_end(ends.client, &length), 0);
	assert_int_equal(length, RESPONSE);
	close(ends.client);
	lingerd_expect(&daemon, "ended_fin", 1);
	lingerd_expect(&daemon, "ended_idle", 1);
	assert_int_equal(lingerd_counter(&daemon, "drained_bytes"), UPLOAD + 1000);
	assert_int_equal(tcp_read_to_end(silent.client, &length), 0);
	close(silent.client);
	linger_client_close(client);
	lingerd_stop(&daemon);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_late_peer_is_reset_by_a_plain_close),
		cmocka_unit_test(a_late_peer_is_drained_and_not_reset),
		cmocka_unit_test(a_flood_is_drained_while_others_are_served),
		cmocka_unit_test(the_idle_deadline_ends_a_silent_peer),
		cmocka_unit_test(the_total_deadline_ends_a_peer_that_never_stops),
		cmocka_unit_test(a_reset_is_counted_as_one),
		cmocka_unit_test(so_linger_of_the_server_does_not_stop_the_daemon),
		cmocka_unit_test(a_sender_that_keeps_its_fd_makes_nothing_spin),
		cmocka_unit_test(time_stamps_that_nobody_read_make_nothing_spin),
		cmocka_unit_test(a_daemon_that_was_stopped_resets_nobody),
		cmocka_unit_test(a_high_low_watermark_hides_no_data),
		cmocka_unit_test(mptcp_is_lingered_like_tcp),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
