/* SPDX-License-Identifier: MIT */
/*
 * A real daemon whose system calls fail: each of them, with whatever errors, every few calls or once at each place, at
 * its start, while it works, at its end and when another takes over. It neither crashes nor leaks, closes every
 * descriptor exactly once, and loses a response only where the fault leaves no choice.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "liblinger/linger.h"
#include "liblinger/protocol.h"
#include "lingerctl/ask.h"
#include "tests/faults/faults.h"
#include "tests/support/lab.h"
#include "tests/support/lingerd.h"
#include "tests/support/tcp.h"

enum { PATIENCE_S = 30, RESPONSE = 5000, CONNECTIONS = 24, PLACES_MAX = 400 };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct faults *faults;
static char faults_folder[256];
static char preload[600], faults_variable[600];
static const char *const with_faults[] = { "/usr/bin/env", preload, faults_variable, NULL };

static int map_faults(void **state)
{
	char path[300];
	int fd;

	(void)state;
	make_folder(faults_folder);
	snprintf(path, sizeof(path), "%s/faults", faults_folder);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, sizeof(*faults)), 0);
	faults = mmap(NULL, sizeof(*faults), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true(faults != MAP_FAILED);
	close(fd);
	snprintf(preload, sizeof(preload), "LD_PRELOAD=%s", built("tests/faults.so"));
	snprintf(faults_variable, sizeof(faults_variable), "FAULTS=%s", path);
	return 0;
}

static int unmap_faults(void **state)
{
	(void)state;
	munmap(faults, sizeof(*faults));
	remove_folder(faults_folder);
	return 0;
}

static void disarm(void)
{
	faults->every = faults->at = 0;
}

static void arm(enum fault_call call, int error, int every, int at)
{
	disarm();
	faults->call = (int)call;
	faults->error = error;
	faults->seen = faults->injected = faults->last = 0;
	faults->at = at;
	faults->every = every;
}

/* -- While it works -- */

/* What a fault may cost at most. */
enum cost {
	NOTHING,
	RESPONSES, /* some are cut; their connections are counted all the same */
	SENDERS,   /* with all that they had queued */
};

struct fault_case {
	enum fault_call call;
	enum cost cost;
	int errors[6]; /* 0: no more */
};

static const struct fault_case cases[] = {
	{ FAULT_accept4, NOTHING, { EINTR, ECONNABORTED, EMFILE, ENFILE, ENOMEM, EAGAIN } },
	{ FAULT_recvmmsg, NOTHING, { EINTR, EAGAIN, ENOMEM, ENOBUFS, ECONNRESET } },
	{ FAULT_recvmmsg, RESPONSES, { FAULT_SHORT } },
	{ FAULT_recvmmsg, SENDERS, { EIO, ENOTCONN } },
	{ FAULT_recv, NOTHING, { EINTR, EAGAIN, ENOMEM, ENOBUFS, FAULT_SHORT } },
	{ FAULT_recv, RESPONSES, { EIO, ENOTCONN, ECONNRESET } },
	{ FAULT_epoll_ctl, NOTHING, { ENOMEM, ENOSPC } },
	{ FAULT_epoll_wait, NOTHING, { EINTR, ENOMEM } },
	{ FAULT_nanosleep, NOTHING, { EINTR } },
	{ FAULT_close, NOTHING, { EINTR, EIO, ENOSPC } },
	{ FAULT_setsockopt, NOTHING, { ENOMEM, EINVAL, ENOTCONN } },
	{ FAULT_ioctl, NOTHING, { EIO, EINVAL } },
	{ FAULT_getpeername, NOTHING, { ENOTCONN, ENOBUFS } },
	{ FAULT_getsockopt, SENDERS, { ENOMEM, ENOTCONN, EINVAL } },
	{ FAULT_poll, NOTHING, { EINTR, ENOMEM } },
	{ FAULT_write, NOTHING, { EIO, EAGAIN, ENOSPC, EPIPE } },
	{ FAULT_read, NOTHING, { EINTR, EAGAIN } },
};

static const struct fault_case ring_cases[] = {
	{ FAULT_io_uring_submit_and_get_events, NOTHING, { EINTR, EAGAIN, ENOMEM, EBUSY } },
	{ FAULT_epoll_wait, NOTHING, { EINTR, ENOMEM } },
};

enum ending { CLOSE_AT_ONCE, SEND_AND_CLOSE, CLOSE_LATER, RESET, STAY, ENDINGS };

struct load {
	int given; /* to the daemon, which has taken them or will */
	int cut;   /* responses that did not arrive whole */
	int open_count;
	int open[CONNECTIONS];
};

static void end_client(struct load *load, int client, enum ending ending)
{
	const struct linger reset = { .l_onoff = 1 };
	size_t length = 0;

	if (ending == RESET) {
		setsockopt(client, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		close(client);
		return;
	}
	if (ending == SEND_AND_CLOSE && tcp_write(client, 20000))
		load->cut++;
	else if (tcp_read_to_end(client, &length) || length != RESPONSE)
		load->cut++;
	if (ending == STAY || ending == CLOSE_LATER)
		load->open[load->open_count++] = client;
	else
		close(client);
}

static void serve_one(struct load *load, struct linger_client *client, enum ending ending)
{
	const struct linger armed = { .l_onoff = 1, .l_linger = 1 };
	struct tcp_pair pair = tcp_pair_open();

	assert_int_equal(tcp_write(pair.client, 300), 0);
	assert_int_equal(tcp_write(pair.server, RESPONSE), 0);
	if (ending == CLOSE_LATER) /* to be switched off */
		setsockopt(pair.server, SOL_SOCKET, SO_LINGER, &armed, sizeof(armed));
	if (!linger_handoff(client, pair.server)) {
		load->given++;
		close(pair.server);
		end_client(load, pair.client, ending);
		return;
	}
	/* It was not taken: ours to linger, and none of the daemon's business. */
	close(pair.server);
	close(pair.client);
}

static uint64_t sum_of_ends(const struct lingerd *daemon)
{
	static const char *const ends[] = { "ended_fin", "ended_reset", "ended_idle", "ended_total",
					    "ended_error" };
	uint64_t sum = 0;

	for (size_t i = 0; i < COUNT(ends); i++)
		sum += lingerd_counter(daemon, ends[i]);
	return sum;
}

static uint64_t sum_of_refusals(const struct lingerd *daemon)
{
	static const char *const refusals[] = { "refused_not_tcp", "refused_not_connected",
						"refused_bad_message", "refused_truncated" };
	uint64_t sum = 0;

	for (size_t i = 0; i < COUNT(refusals); i++)
		sum += lingerd_counter(daemon, refusals[i]);
	return sum;
}

/* Returns how many calls have failed. */
static int work_with(struct lingerd *daemon, const struct fault_case *fault, int error, int every)
{
	uint64_t ends = sum_of_ends(daemon), refusals = sum_of_refusals(daemon);
	uint64_t handoffs = lingerd_counter(daemon, "handoffs");
	struct linger_client *client;
	struct load load = { 0 };
	int injected;

	arm(fault->call, error, every, 0);
	assert_int_equal(linger_client_open(&client, daemon->socket), 0);
	for (int i = 0; i < CONNECTIONS; i++)
		serve_one(&load, client, (enum ending)(i % ENDINGS));
	kill(daemon->process.pid, SIGHUP);
	usleep(10000);
	for (int i = 0; i < load.open_count; i += 2)
		close(load.open[i]);
	usleep(120000); /* the others time out, and may meet a fault then */
	injected = faults->injected;
	disarm();
	for (int i = 1; i < load.open_count; i += 2)
		close(load.open[i]);
	linger_client_close(client);
	lingerd_expect(daemon, "lingers", 0);
	lingerd_expect_idle_fds(daemon);
	handoffs = lingerd_counter(daemon, "handoffs") - handoffs;
	refusals = sum_of_refusals(daemon) - refusals;
	if (handoffs != sum_of_ends(daemon) - ends)
		fail_msg("%d handoffs, %d ends", (int)handoffs, (int)(sum_of_ends(daemon) - ends));
	if (fault->cost < SENDERS && handoffs + refusals != (uint64_t)load.given)
		fail_msg("%d given, %d handoffs, %d refusals", load.given, (int)handoffs,
			 (int)refusals);
	if (fault->cost == NOTHING && load.cut)
		fail_msg("%d responses cut", load.cut);
	assert_int_equal(faults->closed_twice, 0);
	print_message("# call %d error %d, each %d.: %d of %d failed; %d given, %d refused, %d "
		      "cut\n",
		      (int)fault->call, error, every, injected, faults->seen, load.given,
		      (int)refusals, load.cut);
	return injected;
}

/* By a loop around the call, and rightly: it is never said twice. */
static bool is_retried_at_once(int error)
{
	return error == EINTR || error == ECONNRESET || error == ECONNABORTED;
}

static void work_with_error(struct lingerd *daemon, const struct fault_case *fault, int error)
{
	static const int intervals[] = { 1, 2, 5 };
	int injected = 0;

	for (size_t n = 0; n < COUNT(intervals); n++)
		if (intervals[n] > 1 || !is_retried_at_once(error))
			injected += work_with(daemon, fault, error, intervals[n]);
	/* Whether the loop rests between its rounds depends on how fast handoffs come. */
	if (fault->call != FAULT_nanosleep)
		assert_true(injected > 0);
}

static void work_with_all(const struct fault_case *fault, size_t count, const char *io_uring)
{
	const char *const options[] = {
		"--idle-timeout", "0.1", "--max-per-client", "1000", "--io-uring", io_uring, NULL
	};
	struct lingerd daemon;

	disarm();
	lingerd_start_under(&daemon, with_faults, options);
	for (; count; fault++, count--)
		for (int e = 0; e < (int)COUNT(fault->errors) && fault->errors[e]; e++)
			work_with_error(&daemon, fault, fault->errors[e]);
	lingerd_stop(&daemon);
}

static void every_call_may_fail_while_it_works(void **state)
{
	(void)state;
	work_with_all(cases, COUNT(cases), "off");
}

/* Nothing comes between a program and what its ring does, but it may not be entered. */
static void the_ring_may_fail_while_it_works(void **state)
{
	(void)state;
	if (!lab_has_io_uring())
		skip();
	work_with_all(ring_cases, COUNT(ring_cases), "on");
}

/* -- Once, at each place -- */

static const int at_a_place[] = { ENOMEM, EINTR, EIO, EMFILE };

static bool answers(const char *socket)
{
	char text[4096];

	return !ask(socket, LINGER_MESSAGE_STATUS, text, sizeof(text));
}

/* Whether it runs: until it answers or has ended. */
static bool comes_up(struct process *process, const char *socket, int *ret_status)
{
	for (int i = 0; i < PATIENCE_S * 200; i++) {
		*ret_status = process_wait(process, 0);
		if (*ret_status != -1)
			return false;
		if (answers(socket))
			return true;
		usleep(5000);
	}
	fail_msg("it neither answers nor ends");
	return false;
}

static void start_with(struct process *process, const char *socket, const char *name)
{
	char *const argv[] = { (char *)"/usr/bin/env",
			       preload,
			       faults_variable,
			       (char *)built("lingerd"),
			       (char *)"--socket",
			       (char *)socket,
			       (char *)"--stop-grace",
			       (char *)"0",
			       NULL };

	process_start(process, faults_folder, name, argv);
}

/* Returns whether there was such a place. */
static bool start_failing_at(int place, int error)
{
	char socket[300];
	struct process process;
	bool injected;
	int status;

	snprintf(socket, sizeof(socket), "%s/s", faults_folder);
	arm(FAULT_ANY, error, 0, place);
	start_with(&process, socket, "start");
	if (comes_up(&process, socket, &status)) {
		injected = faults->injected;
		disarm();
		assert_int_equal(process_end(&process, SIGTERM, PATIENCE_S), 0);
	} else {
		injected = true;
		disarm();
		if (status != 1 || !file_contains(process.err, "lingerd: "))
			fail_msg("place %d, error %d: status %d", place, error, status);
	}
	if (faults->closed_twice)
		fail_msg("place %d, error %d: closed twice", place, error);
	/* An unlink() that fails leaves it. */
	unlink(socket);
	return injected;
}

static void every_call_may_fail_at_the_start(void **state)
{
	(void)state;
	for (size_t e = 0; e < COUNT(at_a_place); e++) {
		int places = 1;

		while (start_failing_at(places, at_a_place[e]))
			assert_true(++places < PLACES_MAX);
		print_message("# error %d: %d places\n", at_a_place[e], places - 1);
		assert_true(places > 1);
	}
}

enum { STAYING = 12 };

struct staying {
	struct linger_client *client;
	int clients[STAYING];
};

static void hand_over_some(struct staying *staying, const struct lingerd *daemon)
{
	assert_int_equal(linger_client_open(&staying->client, daemon->socket), 0);
	for (int i = 0; i < STAYING; i++)
		staying->clients[i] = lingerd_hand_over(staying->client).client;
	lingerd_expect(daemon, "lingers", STAYING);
}

static void let_go(struct staying *staying)
{
	for (int i = 0; i < STAYING; i++)
		close(staying->clients[i]);
	linger_client_close(staying->client);
}

static bool end_failing_at(int place, int error)
{
	static const char *const options[] = { "--stop-grace", "0.02", "--idle-timeout", "300",
					       NULL };
	struct staying staying;
	struct lingerd daemon;
	int status;

	disarm();
	lingerd_start_under(&daemon, with_faults, options);
	hand_over_some(&staying, &daemon);
	arm(FAULT_ANY, error, 0, place);
	status = process_end(&daemon.process, SIGTERM, PATIENCE_S);
	if (status != 0)
		fail_msg("place %d, call %d, error %d: status %d", place, faults->last, error,
			 status);
	if (faults->closed_twice)
		fail_msg("place %d, error %d: closed twice", place, error);
	/* A line that cannot be written is not there. */
	assert_true(faults->last == FAULT_write || file_contains(daemon.process.err, "ended: "));
	let_go(&staying);
	remove_folder(daemon.folder);
	return faults->injected;
}

static void every_call_may_fail_at_the_end(void **state)
{
	(void)state;
	for (size_t e = 0; e < COUNT(at_a_place); e++) {
		int places = 1;

		while (end_failing_at(places, at_a_place[e]))
			assert_true(++places < PLACES_MAX);
		print_message("# error %d: %d places\n", at_a_place[e], places - 1);
		assert_true(places > 1);
	}
}

static bool take_over_failing_at(int place, int error, bool in_the_old)
{
	static const char *const options[] = {
		"--idle-timeout", "300", "--total-timeout", "300", "--stop-grace", "0", NULL
	};
	const char *const plain[] = { "/usr/bin/env", NULL };
	struct staying staying;
	struct lingerd daemon;
	struct process second;
	char *argv[16] = { NULL };
	int words = 0, status;
	bool injected;

	disarm();
	lingerd_start_under(&daemon, in_the_old ? with_faults : plain, options);
	hand_over_some(&staying, &daemon);
	for (int i = 0; !in_the_old && with_faults[i]; i++)
		argv[words++] = (char *)with_faults[i];
	argv[words++] = (char *)built("lingerd");
	argv[words++] = (char *)"--take-over";
	argv[words++] = (char *)"--socket";
	argv[words++] = daemon.socket;
	for (int i = 0; options[i]; i++)
		argv[words++] = (char *)options[i];
	arm(FAULT_ANY, error, 0, place);
	process_start(&second, daemon.folder, "second", argv);
	/* One of them ends, and the other one has it all. */
	for (int i = 0;; i++) {
		if (i == PATIENCE_S * 200)
			fail_msg("place %d, call %d, error %d: both run", place, faults->last,
				 error);
		status = process_wait(&second, 0);
		if (status != -1)
			break;
		status = process_wait(&daemon.process, 0);
		if (status != -1) {
			if (status != 0)
				fail_msg("place %d, call %d, error %d: the old one ends with %d",
					 place, faults->last, error, status);
			daemon.process = second;
			break;
		}
		usleep(5000);
	}
	injected = faults->injected;
	disarm();
	if (lingerd_counter(&daemon, "lingers") != STAYING)
		print_message("# place %d, call %d, error %d\n", place, faults->last, error);
	lingerd_expect(&daemon, "lingers", STAYING);
	for (int i = 0; i < STAYING; i++)
		assert_int_equal(tcp_write(staying.clients[i], 1000), 0);
	/* What could not be watched is looked at when it times out, and not before. */
	if (faults->last != FAULT_epoll_ctl)
		lingerd_expect(&daemon, "drained_bytes", STAYING * 1000);
	let_go(&staying);
	if (faults->last != FAULT_epoll_ctl)
		lingerd_expect(&daemon, "ended_fin", STAYING);
	if (faults->closed_twice)
		fail_msg("place %d, error %d: closed twice", place, error);
	lingerd_stop(&daemon);
	return injected;
}

static void every_call_of_the_old_one_may_fail_when_another_takes_over(void **state)
{
	(void)state;
	for (size_t e = 0; e < COUNT(at_a_place); e++) {
		int places = 1;

		while (take_over_failing_at(places, at_a_place[e], true))
			assert_true(++places < PLACES_MAX);
		print_message("# error %d: %d places\n", at_a_place[e], places - 1);
		assert_true(places > 1);
	}
}

static void every_call_of_the_new_one_may_fail_when_it_takes_over(void **state)
{
	(void)state;
	for (size_t e = 0; e < COUNT(at_a_place); e++) {
		int places = 1;

		while (take_over_failing_at(places, at_a_place[e], false))
			assert_true(++places < PLACES_MAX);
		print_message("# error %d: %d places\n", at_a_place[e], places - 1);
		assert_true(places > 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_call_may_fail_while_it_works),
		cmocka_unit_test(the_ring_may_fail_while_it_works),
		cmocka_unit_test(every_call_may_fail_at_the_start),
		cmocka_unit_test(every_call_may_fail_at_the_end),
		cmocka_unit_test(every_call_of_the_old_one_may_fail_when_another_takes_over),
		cmocka_unit_test(every_call_of_the_new_one_may_fail_when_it_takes_over),
	};

	return cmocka_run_group_tests(tests, map_faults, unmap_faults);
}
