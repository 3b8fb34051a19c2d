/* SPDX-License-Identifier: MIT */
/*
 * soak LINGERS: so many connections through a lingerd that it starts, from two processes, with mixed peers. What the daemon
 * has open and what memory it takes must be at the end as it was after the first percent, all of its books must balance,
 * and each kind of peer must have met the end that is its own. Bounded: it ends by itself, and earlier if nothing moves on.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "liblinger/linger.h"
#include "lingerctl/ask.h"
#include "tests/soak/soak_daemon.h"

enum {
	WORKERS = 2,
	LATE_MS = 50,
	/* Short, so that as many are open in the first percent as ever after. */
	IDLE_MS = 1000,	  /* of the daemon */
	SILENT_MS = 1500, /* later than that */
	UPLOAD_BYTES = 20000,
	HELD_MAX = 8192,
	CROWD = 8000, /* at once: more than there will be later */
	/* Each a tuple of its own with each port of a client, since thousands are in TIME_WAIT. */
	ADDRESSES = 32,
	STALLED_S = 60,
};

/* Of sixteen connections one each, but for the first, which is all the rest. */
enum peer { PROMPT, LATE, UPLOADER, SILENT, RESETTER, PEERS };

struct held {
	int fd;
	uint64_t until_ns;
};

/* Peers of one kind, who close in the order in which they came. */
struct holding {
	struct held ring[HELD_MAX];
	size_t first, count;
	uint64_t ns;
};

static enum peer peer_of(uint64_t index)
{
	return index % 16 < RESETTER ? (enum peer)(index % 16 + 1) : PROMPT;
}

static int listen_on(uint32_t address, struct sockaddr_in *ret)
{
	socklen_t length = sizeof(*ret);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*ret = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(address) };
	if (fd < 0 || bind(fd, (struct sockaddr *)ret, sizeof(*ret)) || listen(fd, 128) ||
	    getsockname(fd, (struct sockaddr *)ret, &length))
		soak_fail("cannot listen: %s", strerror(errno));
	return fd;
}

static int connect_to(const struct sockaddr_in *address)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (const struct sockaddr *)address, sizeof(*address)))
		soak_fail("cannot connect: %s", strerror(errno));
	return fd;
}

static void release(struct holding *holding, uint64_t now, bool all)
{
	while (holding->count && (all || holding->ring[holding->first].until_ns <= now)) {
		close(holding->ring[holding->first].fd);
		holding->first = (holding->first + 1) % HELD_MAX;
		holding->count--;
	}
}

static void hold(struct holding *holding, int fd, uint64_t now)
{
	while (holding->count == HELD_MAX) {
		usleep(1000);
		release(holding, clock_now_ns(), false);
	}
	holding->ring[(holding->first + holding->count++) % HELD_MAX] =
		(struct held){ .fd = fd, .until_ns = now + holding->ns };
}

static void behave(enum peer peer, int fd, struct holding holdings[PEERS], uint64_t now)
{
	static const struct linger reset = { .l_onoff = 1 };
	static const char bytes[UPLOAD_BYTES];

	if (peer == UPLOADER)
		send(fd, bytes, sizeof(bytes), MSG_NOSIGNAL | MSG_DONTWAIT);
	if (peer == RESETTER)
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	if (peer == LATE || peer == SILENT)
		hold(&holdings[peer], fd, now);
	else
		close(fd);
}

/* The daemon takes nothing for a moment when its queue is full; not for long, or it is stuck. */
static void hand_over(struct linger_client *client, int fd)
{
	uint64_t limit = clock_now_ns() + STALLED_S * NS_PER_S;
	int error;

	while ((error = linger_handoff(client, fd)) == -EAGAIN && clock_now_ns() < limit)
		usleep(200);
	if (error)
		soak_fail("a handoff failed: %s", strerror(-error));
	close(fd);
}

/* Makes the connections from first on, each WORKERS-th one. */
static void work(const struct soak_daemon *daemon, uint64_t first, uint64_t end)
{
	static struct holding holdings[PEERS] = {
		[LATE] = { .ns = LATE_MS * NS_PER_MS }, [SILENT] = { .ns = SILENT_MS * NS_PER_MS }
	};
	struct sockaddr_in addresses[ADDRESSES];
	int listeners[ADDRESSES];
	struct linger_client *client;

	if (linger_client_open(&client, daemon->socket))
		soak_fail("no client");
	for (uint32_t i = 0; i < ADDRESSES; i++)
		listeners[i] = listen_on(INADDR_LOOPBACK + i, &addresses[i]);
	for (uint64_t i = first; i < end; i += WORKERS) {
		uint64_t now = clock_now_ns();
		size_t place = i / WORKERS % ADDRESSES;
		int peer = connect_to(&addresses[place]);
		int server = accept4(listeners[place], NULL, NULL, SOCK_CLOEXEC);

		if (server < 0)
			soak_fail("accept: %s", strerror(errno));
		hand_over(client, server);
		behave(peer_of(i / WORKERS), peer, holdings, now);
		release(&holdings[LATE], now, false);
		release(&holdings[SILENT], now, false);
	}
	while (holdings[SILENT].count) {
		usleep(10000);
		release(&holdings[LATE], clock_now_ns(), false);
		release(&holdings[SILENT], clock_now_ns(), false);
	}
	release(&holdings[LATE], 0, true);
	linger_client_close(client);
}

static void wait_for_workers(const struct soak_daemon *daemon, pid_t pids[WORKERS], uint64_t total)
{
	uint64_t said_ns = clock_now_ns();
	int left = WORKERS, status;

	while (left) {
		pid_t pid = waitpid(-1, &status, WNOHANG);

		if (pid == daemon->pid)
			soak_fail("lingerd has ended by itself");
		for (int i = 0; i < WORKERS; i++)
			left -= pid > 0 && pid == pids[i];
		if (pid > 0 && status)
			soak_fail("a worker has failed");
		if (clock_now_ns() - said_ns > 5 * NS_PER_S) {
			said_ns = clock_now_ns();
			fprintf(stderr, "%llu of %llu\n",
				(unsigned long long)soak_counter(daemon, "handoffs") - CROWD,
				(unsigned long long)total);
		}
		usleep(1000);
	}
}

static void run_workers(const struct soak_daemon *daemon, uint64_t first, uint64_t end)
{
	pid_t pids[WORKERS];

	for (unsigned int i = 0; i < WORKERS; i++) {
		pids[i] = fork();
		if (pids[i] < 0)
			soak_fail("fork: %s", strerror(errno));
		if (!pids[i]) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			work(daemon, first + i, end);
			_exit(0);
		}
	}
	wait_for_workers(daemon, pids, end);
	soak_wait_for(daemon, "lingers", 0, STALLED_S);
}

/*
 * The daemon's tables take memory when they are used for the first time. So they are used, before its memory is looked at,
 * by more connections at once than will be. How these end does not matter.
 */
static void touch_tables(const struct soak_daemon *daemon)
{
	static int peers[CROWD];
	struct linger_client *client;
	struct sockaddr_in address;
	int listener = listen_on(INADDR_LOOPBACK, &address);

	if (linger_client_open(&client, daemon->socket))
		soak_fail("no client");
	for (int i = 0; i < CROWD; i++) {
		int server;

		peers[i] = connect_to(&address);
		server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (server < 0)
			soak_fail("accept: %s", strerror(errno));
		hand_over(client, server);
	}
	for (int i = 0; i < CROWD; i++)
		close(peers[i]);
	linger_client_close(client);
	close(listener);
	soak_wait_for(daemon, "lingers", 0, STALLED_S);
}

/* What has been counted. */
struct books {
	uint64_t handoffs, fin, reset, idle;
};

static struct books books_of(const struct soak_daemon *daemon)
{
	return (struct books){
		.handoffs = soak_counter(daemon, "handoffs"),
		.fin = soak_counter(daemon, "ended_fin"),
		.reset = soak_counter(daemon, "ended_reset"),
		.idle = soak_counter(daemon, "ended_idle"),
	};
}

static uint64_t count_of(enum peer peer, uint64_t total)
{
	uint64_t count = 0;

	for (uint64_t i = 0; i < total; i++)
		count += peer_of(i / WORKERS) == peer;
	return count;
}

static void check_ends(const struct soak_daemon *daemon, const struct books *before, uint64_t total)
{
	struct books now = books_of(daemon);
	uint64_t fin = now.fin - before->fin, reset = now.reset - before->reset;
	uint64_t silent = count_of(SILENT, total);

	if (now.handoffs - before->handoffs != total || now.idle - before->idle != silent)
		soak_fail("%llu handed over, and %llu given up, of %llu and %llu",
			  (unsigned long long)(now.handoffs - before->handoffs),
			  (unsigned long long)(now.idle - before->idle), (unsigned long long)total,
			  (unsigned long long)silent);
	/* Whether a reset was met as one depends on what the daemon did at that moment (lingerd(8)). */
	if (fin + reset != total - silent || reset > count_of(RESETTER, total))
		soak_fail("%llu fin and %llu reset of %llu", (unsigned long long)fin,
			  (unsigned long long)reset, (unsigned long long)total);
	for (const char *const *name = soak_never; *name; name++)
		soak_expect(daemon, *name, 0);
}

int main(int argc, char *argv[])
{
	uint64_t total = argc > 1 ? strtoull(argv[1], NULL, 10) : 0;
	uint64_t first_percent = total / 100 / 32 * 32; /* whole rounds of peers of both workers */
	struct soak_daemon daemon;
	struct soak_look early, late;
	struct books before;
	uint64_t began;

	if (total < 3200) {
		fputs("usage: soak LINGERS, 3200 at least\n", stderr);
		return 2;
	}
	total = total / 32 * 32;
	soak_start(&daemon, IDLE_MS);
	touch_tables(&daemon);
	before = books_of(&daemon);
	began = clock_now_ns();
	run_workers(&daemon, 0, first_percent);
	soak_look(&daemon, &early);
	run_workers(&daemon, first_percent, total);
	soak_look(&daemon, &late);
	check_ends(&daemon, &before, total);
	printf("%llu lingers in %.0f s, %.0f s of the daemon's CPU\n", (unsigned long long)total,
	       (double)(clock_now_ns() - began) / NS_PER_S, late.cpu_s - early.cpu_s);
	printf("descriptors: %d after the first percent, %d at the end\n", early.fds, late.fds);
	printf("RSS: %ld KiB after the first percent, %ld KiB at the end\n", early.rss_kib,
	       late.rss_kib);
	soak_stop(&daemon);
	if (late.fds != early.fds || late.rss_kib > early.rss_kib + SOAK_RSS_SLACK_KIB)
		soak_fail("the daemon has grown");
	return 0;
}
