/* SPDX-License-Identifier: MIT */
/* The client library against a daemon that is there, absent, hung, or shared by many. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "liblinger/linger.h"
#include "tests/support/lingerd.h"
#include "tests/support/tcp.h"

static const char *const patient[] = { "--idle-timeout", "60", "--total-timeout", "60", NULL };

static void bad_arguments_are_refused(void **state)
{
	struct linger_client *client = NULL;
	char path[200];

	(void)state;
	memset(path, 'x', sizeof(path));
	path[108] = '\0';
	assert_int_equal(linger_client_open(NULL, "/run/s"), -EINVAL);
	assert_int_equal(linger_client_open(&client, NULL), -EINVAL);
	assert_int_equal(linger_client_open(&client, ""), -EINVAL);
	assert_int_equal(linger_client_open(&client, path), -ENAMETOOLONG);
	assert_null(client);
	path[107] = '\0';
	assert_int_equal(linger_client_open(&client, path), 0);
	linger_client_close(client);
	linger_client_close(NULL);
}

static void bad_descriptors_are_refused_and_the_client_works_on(void **state)
{
	struct tcp_pair pair = tcp_pair_open();
	struct linger_client *client;
	struct lingerd daemon;
	int fresh = socket(AF_INET, SOCK_STREAM, 0);
	int ends[2];

	(void)state;
	lingerd_start(&daemon, patient);
	assert_int_equal(linger_client_open(&client, daemon.socket), 0);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(linger_handoff(client, -1), -EBADF);
	assert_int_equal(linger_handoff(client, ends[0]), -ENOTSOCK);
	assert_int_equal(linger_handoff(client, fresh), -ENOTCONN);
	assert_int_equal(linger_handoff(client, pair.server), 0);
	lingerd_expect(&daemon, "lingers", 1);
	assert_int_equal(lingerd_counter(&daemon, "handoffs"), 1);
	close(ends[0]);
	close(ends[1]);
	close(fresh);
	close(pair.server);
	close(pair.client);
	lingerd_expect(&daemon, "ended_fin", 1);
	linger_client_close(client);
	lingerd_stop(&daemon);
}

static void without_a_daemon_the_answer_is_quick(void **state)
{
	struct tcp_pair pair = tcp_pair_open();
	struct linger_client *client;
	char folder[256], path[300];

	(void)state;
	make_folder(folder);
	snprintf(path, sizeof(path), "%s/s", folder);
	assert_int_equal(linger_client_open(&client, path), 0);
	for (int i = 0; i < 10000; i++)
		assert_int_equal(linger_handoff(client, pair.server), -ENOENT);
	/* nothing was given away, and nothing done to it: the connection still works */
	assert_int_equal(tcp_write(pair.server, 10), 0);
	linger_client_close(client);
	close(pair.server);
	close(pair.client);
	remove_folder(folder);
}

/* The client's clock, to know for certain what it has seen. */
static uint64_t coarse_now_ns(void)
{
	struct timespec now;

	assert_int_equal(clock_gettime(CLOCK_MONOTONIC_COARSE, &now), 0);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/*
 * A file there makes connect() fail in another way: who still says the old error did not call it.
 */
static void after_a_failed_connect_there_is_none_for_a_while(void **state)
{
	enum { ATTEMPTS = 200 };
	struct tcp_pair pair = tcp_pair_open();
	struct linger_client *client;
	char folder[256], path[300];
	bool in_time = false;

	(void)state;
	make_folder(folder);
	snprintf(path, sizeof(path), "%s/s", folder);
	for (int i = 0; i < ATTEMPTS && !in_time; i++) {
		uint64_t began = coarse_now_ns();
		int file, error;

		assert_int_equal(linger_client_open(&client, path), 0);
		assert_int_equal(linger_handoff(client, pair.server), -ENOENT);
		file = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
		assert_true(file >= 0);
		error = linger_handoff(client, pair.server);
		in_time = coarse_now_ns() - began < 10 * NS_PER_MS;
		if (in_time)
			assert_int_equal(error, -ENOENT);
		usleep(30000);
		assert_int_equal(linger_handoff(client, pair.server), -ECONNREFUSED);
		linger_client_close(client);
		close(file);
		assert_int_equal(unlink(path), 0);
	}
	assert_true(in_time);
	close(pair.server);
	close(pair.client);
	remove_folder(folder);
}

static void a_hung_daemon_blocks_nobody(void **state)
{
	enum { MOST = 2000 };
	static int clients[MOST];
	struct linger_client *client;
	struct lingerd daemon;
	uint64_t began, slowest = 0;
	int given = 0;

	(void)state;
	lingerd_start(&daemon, patient);
	assert_int_equal(linger_client_open(&client, daemon.socket), 0);
	assert_int_equal(kill(daemon.process.pid, SIGSTOP), 0);
	for (int error = 0; !error;) {
		struct tcp_pair pair = tcp_pair_open();

		assert_true(given < MOST);
		began = clock_now_ns();
		error = linger_handoff(client, pair.server);
		if (clock_now_ns() - began > slowest)
			slowest = clock_now_ns() - began;
		if (error)
			assert_int_equal(error, -EAGAIN);
		else
			clients[given++] = pair.client;
		if (error)
			close(pair.client);
		close(pair.server);
	}
	assert_true(slowest < 5 * NS_PER_S);
	assert_true(given > 8);
	/* Even now the peers see the end of the response. */
	for (int i = 0; i < given; i++) {
		size_t length;

		assert_int_equal(tcp_read_to_end(clients[i], &length), 0);
	}
	assert_int_equal(kill(daemon.process.pid, SIGCONT), 0);
	lingerd_expect(&daemon, "lingers", (uint64_t)given);
	for (int i = 0; i < given; i++)
		close(clients[i]);
	lingerd_expect(&daemon, "ended_fin", (uint64_t)given);
	linger_client_close(client);
	lingerd_stop(&daemon);
}

static void parent_and_child_each_have_their_connection(void **state)
{
	struct tcp_pair first = tcp_pair_open(), second = tcp_pair_open(), third = tcp_pair_open();
	struct linger_client *client;
	struct lingerd daemon;
	int status;
	pid_t child;

	(void)state;
	lingerd_start(&daemon, patient);
	assert_int_equal(linger_client_open(&client, daemon.socket), 0);
	assert_int_equal(linger_handoff(client, first.server), 0);
	lingerd_expect(&daemon, "lingers", 1);
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		int error = linger_handoff(client, second.server);

		pause(); /* connected until we are killed */
		_exit(error ? 1 : 0);
	}
	lingerd_expect(&daemon, "lingers", 2);
	assert_int_equal(linger_handoff(client, third.server), 0);
	lingerd_expect(&daemon, "lingers", 3);
	assert_int_equal(lingerd_counter(&daemon, "senders"), 3); /* two, and this question */
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	lingerd_expect(&daemon, "senders", 2);
	close(first.server);
	close(second.server);
	close(third.server);
	close(first.client);
	close(second.client);
	close(third.client);
	lingerd_expect(&daemon, "ended_fin", 3);
	linger_client_close(client);
	lingerd_stop(&daemon);
}

/* The lowest number that is free: the next descriptor gets it. */
static int next_fd(void)
{
	int fd = dup(0);

	assert_int_equal(close(fd), 0);
	return fd;
}

static void a_stranger_with_its_number_gets_nothing(void **state)
{
	struct tcp_pair first = tcp_pair_open(), second = tcp_pair_open();
	struct linger_client *client;
	struct lingerd daemon;
	int strangers[2];
	char byte;
	int number;

	(void)state;
	lingerd_start(&daemon, patient);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, strangers), 0);
	assert_int_equal(linger_client_open(&client, daemon.socket), 0);
	number = next_fd();
	assert_int_equal(linger_handoff(client, first.server), 0);
	assert_int_equal(dup2(strangers[0], number), number);
	assert_int_equal(linger_handoff(client, second.server), 0);
	lingerd_expect(&daemon, "lingers", 2);
	assert_int_equal(recv(strangers[1], &byte, 1, MSG_DONTWAIT), -1);
	/* still open: nobody but its owner closes it */
	assert_int_equal(fcntl(number, F_GETFD), 0);
	close(number);
	close(strangers[0]);
	close(strangers[1]);
	close(first.server);
	close(second.server);
	close(first.client);
	close(second.client);
	lingerd_expect(&daemon, "ended_fin", 2);
	linger_client_close(client);
	lingerd_stop(&daemon);
}

enum { THREADS = 8, PER_THREAD = 200 };

static void *hand_over_many(void *context)
{
	struct linger_client *client = context;
	long handed = 0;

	for (int i = 0; i < PER_THREAD; i++) {
		struct tcp_pair pair = tcp_pair_open();
		int error;

		while ((error = linger_handoff(client, pair.server)) == -EAGAIN)
			usleep(500);
		handed += !error;
		close(pair.server);
		close(pair.client);
	}
	return (void *)handed;
}

static void threads_share_a_client(void **state)
{
	struct linger_client *client;
	pthread_t threads[THREADS];
	struct lingerd daemon;

	(void)state;
	lingerd_start(&daemon, patient);
	assert_int_equal(linger_client_open(&client, daemon.socket), 0);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, hand_over_many, client), 0);
	for (int i = 0; i < THREADS; i++) {
		void *handed;

		assert_int_equal(pthread_join(threads[i], &handed), 0);
		assert_int_equal((long)handed, PER_THREAD);
	}
	lingerd_expect(&daemon, "ended_fin", THREADS * PER_THREAD);
	assert_int_equal(lingerd_counter(&daemon, "handoffs"), THREADS * PER_THREAD);
	assert_int_equal(lingerd_counter(&daemon, "senders"), 2); /* one, and this question */
	linger_client_close(client);
	lingerd_stop(&daemon);
}

struct churn {
	const char *socket;
	int no_socket; /* handing it over fails, after the client has connected */
	atomic_bool enough;
};

struct cancelled {
	struct linger_client *client;
	int server;
	int error;
};

static void *hand_over_while_cancelled(void *context)
{
	struct cancelled *cancelled = context;

	cancelled->error = 1;
	pthread_cancel(pthread_self());
	cancelled->error = linger_handoff(cancelled->client, cancelled->server);
	pthread_testcancel();
	return NULL;
}

/* Its lock would stay behind: no other thread could hand over, and none fork. */
static void a_cancelled_thread_hands_over_to_the_end(void **state)
{
	struct tcp_pair first = tcp_pair_open(), second = tcp_pair_open();
	struct cancelled cancelled = { .server = first.server };
	struct linger_client *client;
	struct lingerd daemon;
	pthread_t thread;
	void *result;

	(void)state;
	lingerd_start(&daemon, patient);
	client = cancelled.client = lingerd_open_client(&daemon);
	assert_int_equal(pthread_create(&thread, NULL, hand_over_while_cancelled, &cancelled), 0);
	assert_int_equal(pthread_join(thread, &result), 0);
	assert_ptr_equal(result, PTHREAD_CANCELED);
	assert_int_equal(cancelled.error, 0);
	alarm(60);
	assert_int_equal(linger_handoff(client, second.server), 0);
	alarm(0);
	close(first.server);
	close(second.server);
	close(first.client);
	close(second.client);
	lingerd_expect(&daemon, "ended_fin", 2);
	linger_client_close(client);
	lingerd_stop(&daemon);
}

static void *open_and_close_clients(void *context)
{
	struct churn *churn = context;
	struct linger_client *client;
	long wrong = 0;
	int error;

	while (!churn->enough) {
		if (linger_client_open(&client, churn->socket))
			return (void *)1;
		error = linger_handoff(client, churn->no_socket);
		wrong += error != -ENOTSOCK && error != -EAGAIN; /* its backlog may be full */
		linger_client_close(client);
	}
	return (void *)wrong;
}

static bool has_connection(void)
{
	socklen_t length = sizeof(int);
	int type;

	for (int fd = 3; fd < 64; fd++)
		if (!getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) && type == SOCK_SEQPACKET)
			return true;
	return false;
}

static void a_client_that_closes_leaves_nothing_to_a_child(void **state)
{
	enum { FORKS = 1000 };
	struct lingerd daemon;
	struct churn churn;
	pthread_t thread;
	int ends[2], leaks = 0;
	void *wrong;

	(void)state;
	lingerd_start(&daemon, patient);
	assert_int_equal(pipe(ends), 0);
	churn = (struct churn){ .socket = daemon.socket, .no_socket = ends[0] };
	assert_int_equal(pthread_create(&thread, NULL, open_and_close_clients, &churn), 0);
	for (int i = 0; i < FORKS; i++) {
		int status;
		pid_t child = fork();

		assert_true(child >= 0);
		if (!child)
			_exit(has_connection());
		assert_int_equal(waitpid(child, &status, 0), child);
		leaks += status != 0;
	}
	churn.enough = true;
	assert_int_equal(pthread_join(thread, &wrong), 0);
	assert_null(wrong);
	assert_int_equal(leaks, 0);
	close(ends[0]);
	close(ends[1]);
	lingerd_expect_idle_fds(&daemon);
	lingerd_stop(&daemon);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_arguments_are_refused),
		cmocka_unit_test(bad_descriptors_are_refused_and_the_client_works_on),
		cmocka_unit_test(without_a_daemon_the_answer_is_quick),
		cmocka_unit_test(after_a_failed_connect_there_is_none_for_a_while),
		cmocka_unit_test(a_hung_daemon_blocks_nobody),
		cmocka_unit_test(parent_and_child_each_have_their_connection),
		cmocka_unit_test(a_stranger_with_its_number_gets_nothing),
		cmocka_unit_test(threads_share_a_client),
		cmocka_unit_test(a_cancelled_thread_hands_over_to_the_end),
		cmocka_unit_test(a_client_that_closes_leaves_nothing_to_a_child),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
