/* SPDX-License-Identifier: MIT */
#include "lingerd/daemon.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "lingerd/daemon_parts.h"
#include "lingerd/events.h"
#include "lingerd/identity.h"
#include "lingerd/kernel_drain.h"
#include "lingerd/ring.h"
#include "lingerd/sandbox.h"
#include "lingerd/takeover.h"

static const uint64_t REST_NS = 1 * NS_PER_MS;

enum {
	FEW_CONNECTIONS = 500, /* less than most limits of open files leave */
	SHARE_WAITS = 100,     /* each for REST_NS */
};

static int open_signals(struct daemon *daemon)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN); /* the reader of our log may go away */
	daemon->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (daemon->signals < 0)
		return -errno;
	return events_add(daemon->epoll, daemon->signals, EVENT_SIGNAL);
}

static uint32_t fd_numbers(const struct daemon *daemon)
{
	return daemon->limits.connections + daemon->limits.senders + daemon->limits.reserve;
}

static int open_parts(struct daemon *daemon)
{
	int error;

	daemon->epoll = daemon->io.watches.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (daemon->epoll < 0)
		return -errno;
	error = open_signals(daemon);
	if (!error && daemon->workers)
		error = workers_watch(daemon->workers, daemon->epoll);
	if (error)
		return error;
	error = linger_engine_new(&daemon->engine, fd_numbers(daemon), &socket_linger_io,
				  &daemon->io, &daemon->users, &daemon->counters);
	if (error)
		return error;
	linger_engine_limit_clients(daemon->engine, daemon->settings.max_per_client);
	if (daemon->workers)
		linger_engine_see_clients(daemon->engine, workers_count_client, daemon->workers);
	return intake_new(&daemon->intake, &(struct intake_parts){
						   .epoll = daemon->epoll,
						   .listener = daemon->listener.fd,
						   .limits = &daemon->limits,
						   .settings = &daemon->settings,
						   .users = &daemon->users,
						   .engine = daemon->engine,
						   .counters = &daemon->counters,
						   .command = daemon_carry_out,
						   .totals = daemon->workers ? daemon_totals : NULL,
						   .shed = daemon->workers ? daemon_shed : NULL,
						   .context = daemon,
					   });
}

/* Without it, everything is read: that is slower, and no reason not to start. */
static void open_drain(struct daemon *daemon)
{
	struct problem problem = { "" };
	int table;

	if (!daemon->settings.drain_in_kernel)
		return;
	table = kernel_drain_open(daemon->settings.drain_table, &problem);
	if (table < 0) {
		log_warning("drain: not in the kernel but by reading: %s", problem.text);
		return;
	}
	daemon->io.drain_table = table;
	daemon->counters.drains_in_kernel = 1;
}

/* Likewise. */
static void open_ring(struct daemon *daemon)
{
	if (!daemon->settings.io_uring || !ring_open())
		return;
	if (watches_use_ring(&daemon->io.watches, fd_numbers(daemon)))
		ring_close();
	daemon->counters.uses_io_uring = ring_is_open();
}

/* leave: another process goes on with the listener. */
static void free_parts(struct daemon *daemon, bool leave)
{
	endpoint_close(&daemon->endpoint);
	intake_free(daemon->intake);
	linger_engine_free(daemon->engine);
	workers_free(daemon->workers);
	if (daemon->signals >= 0)
		close(daemon->signals);
	if (daemon->epoll >= 0)
		close(daemon->epoll);
	watches_free(&daemon->io.watches);
	ring_close();
	if (daemon->io.drain_table >= 0)
		close(daemon->io.drain_table);
	pidfile_remove(&daemon->pidfile);
	if (leave) {
		listener_leave(&daemon->listener);
		return;
	}
	listener_unlink(&daemon->listener);
	listener_close(&daemon->listener);
}

static void warn_of_limit(const struct daemon *daemon)
{
	const struct settings *settings = &daemon->settings;

	if (daemon->counters.max_connections < settings->max_connections)
		log_warning("not the %" PRIu32 " connections of max-connections: the limit of open "
			    "files is %" PRIu64
			    "; raise it (ulimit -n, LimitNOFILE=), or set workers",
			    settings->max_connections, daemon->nofile);
	else if (!settings->max_connections && daemon->counters.max_connections < FEW_CONNECTIONS)
		log_warning("the limit of open files, %" PRIu64
			    ", leaves room for few connections; "
			    "raise it (ulimit -n, LimitNOFILE=)",
			    daemon->nofile);
}

static void say_start(const struct daemon *daemon)
{
	const struct settings *settings = &daemon->settings;

	char limit[64] = "";

	if (!settings->max_connections &&
	    daemon->counters.max_connections < DEFAULT_MAX_CONNECTIONS)
		snprintf(limit, sizeof(limit), " (the limit of open files is %" PRIu64 ")",
			 daemon->nofile);
	log_info("version %s takes connections on %s: up to %" PRIu32
		 " at once%s, from up to %" PRIu32 " senders; idle timeout %.6g s, total %.6g s",
		 LINGER_VERSION, daemon->listener.path, (uint32_t)daemon->counters.max_connections,
		 limit, daemon->limits.senders, (double)settings->policy.idle_ns / NS_PER_S,
		 (double)settings->policy.total_ns / NS_PER_S);
	warn_of_limit(daemon);
}

/* Passed to us, taken over, or our own. */
static int open_listener(struct daemon *daemon, struct inherited *inherited,
			 struct problem *problem)
{
	int error = 0;

	if (inherited->listener < 0 && daemon->options->take_over)
		error = takeover_ask(inherited, daemon->settings.socket_path, problem);
	if (error)
		return error;
	if (inherited->listener < 0)
		return listener_open(&daemon->listener, &daemon->settings, problem);
	error = listener_inherit(&daemon->listener, inherited->listener, inherited->lock, problem);
	if (error) {
		close(inherited->listener);
		if (inherited->lock >= 0)
			close(inherited->lock);
	}
	return error;
}

/* What has been away for nothing is in no counter, see take_back() in ending.c. */
static void correct(struct daemon *daemon, uint64_t back)
{
	if (back > daemon->coming_back) /* the others are of the process before */
		back = daemon->coming_back;
	daemon->coming_back -= back;
	daemon->counters.restored -= back;
	daemon->counters.passed_on -= back;
}

uint32_t daemon_go_on(struct daemon *daemon)
{
	uint32_t count;

	if (!daemon->left.count)
		return 0;
	daemon_limit(daemon);
	count = succession_take(&daemon->left, daemon->engine, &daemon->users, &daemon->settings,
				&daemon->limits, &daemon->counters);
	correct(daemon, count);
	daemon_limit(daemon);
	return count;
}

/* Others have room, but do not take all at once. */
static uint32_t go_on_and_share(struct daemon *daemon)
{
	uint32_t count = daemon_go_on(daemon);
	int waits = 0;

	while (daemon->workers && daemon->left.count && waits < SHARE_WAITS) {
		const struct timespec rest = { .tv_nsec = (long)REST_NS };
		uint32_t more;

		daemon_share(daemon);
		more = daemon_go_on(daemon);
		count += more;
		waits = more ? 0 : waits + 1;
		if (!more)
			nanosleep(&rest, NULL);
	}
	return count;
}

static void go_on_with(struct daemon *daemon, struct succession *left)
{
	uint32_t count;

	if (!left->count)
		return;
	daemon->left = *left;
	left->count = 0;
	count = go_on_and_share(daemon);
	service_unstore(&daemon->service);
	log_info("goes on with %" PRIu32 " connections of the process before", count);
	if (daemon->left.count)
		log_warning(
			"there is no room yet for all that the process before has left: the rest "
			"waits until some have ended");
}

/*
 * Who starts afresh with metrics that cannot be had ends, and the operator sees it. Who has been given a
 * listener has servers that rely on it, and perhaps all that lingered.
 */
static int open_eyes(struct daemon *daemon, const struct inherited *inherited,
		     struct problem *problem)
{
	if (inherited->listener < 0 && !inherited->left.count)
		return daemon_open_endpoint(daemon, problem);
	daemon_reopen_endpoint(daemon);
	return 0;
}

static void open_log(const struct settings *settings)
{
	int error = settings->syslog ? log_to_syslog() : 0;

	/* A log daemon may be started later than we are. */
	if (error)
		log_warning("log: /dev/log: %s; lines are lost until somebody takes them there",
			    strerror(-error));
}

static int take_limits(struct daemon *daemon, struct problem *problem)
{
	const struct settings *settings = &daemon->settings;
	const struct limits_needs needs = {
		.connections = settings->max_connections ? settings->max_connections
							 : DEFAULT_MAX_CONNECTIONS,
		.endpoint = endpoint_fds(settings),
		.workers = settings->workers - 1,
		.as_root = geteuid() == 0 && settings->user != USER_UNCHANGED,
	};
	int error = limits_take(&needs, &daemon->limits, &daemon->nofile);

	if (error)
		problem_say(problem,
			    "the limit of open files, %" PRIu64 ", leaves no room for "
			    "connections; raise it (ulimit -n, LimitNOFILE=)",
			    daemon->nofile);
	daemon->own_room = daemon->limits.connections;
	daemon->counters.max_connections = daemon->own_room;
	return error;
}

/* Who takes over leaves the file to the process before as long as that may have to go on. */
static int write_pidfile(struct daemon *daemon, bool takes_over, struct problem *problem)
{
	int error = pidfile_prepare(&daemon->pidfile, &daemon->settings, problem);

	return error || takes_over ? error : pidfile_commit(&daemon->pidfile, problem);
}

/* There is no way back: the process before ends. */
static void replace_pidfile(struct daemon *daemon)
{
	struct problem problem = { "" };

	if (pidfile_commit(&daemon->pidfile, &problem))
		log_warning("%s", problem.text);
}

/* Once confirmed, the other one is gone: what cannot be read then would be lost. */
static int confirm_takeover(struct inherited *inherited, struct problem *problem)
{
	if (succession_is_foreign(&inherited->left)) {
		problem_say(problem,
			    "the lingerd that runs is of another version, whose connections "
			    "this one cannot read; it goes on: stop it, then start this one");
		return -EPROTONOSUPPORT;
	}
	return takeover_confirm(inherited, problem);
}

static int open_daemon(struct daemon *daemon, struct inherited *inherited, struct problem *problem)
{
	int error = options_settings(daemon->options, &daemon->settings, problem);
	bool takes_over;

	if (error)
		return error;
	open_log(&daemon->settings);
	error = take_limits(daemon, problem);
	/* All that is root's to do is done then. */
	if (!error)
		error = identity_take(&daemon->settings, problem);
	if (!error)
		error = daemon_start_workers(daemon, inherited, problem);
	if (!error)
		error = open_listener(daemon, inherited, problem);
	if (error) {
		workers_free(daemon->workers);
		return error;
	}
	takes_over = inherited->giver >= 0;
	error = open_parts(daemon);
	if (error)
		problem_say(problem, "cannot start: %s", strerror(-error));
	else
		error = open_eyes(daemon, inherited, problem);
	if (!error)
		error = write_pidfile(daemon, takes_over, problem);
	if (!error)
		open_drain(daemon);
	if (!error)
		open_ring(daemon);
	/* Before anything is read that others have sent. */
	if (!error && daemon->settings.sandbox)
		error = sandbox_enter(&daemon->settings, SANDBOX_FRONT, problem);
	/* The last thing that can fail. */
	if (!error && takes_over)
		error = confirm_takeover(inherited, problem);
	if (error)
		free_parts(daemon, takes_over);
	else if (takes_over)
		replace_pidfile(daemon);
	return error;
}

int daemon_open(struct daemon **ret, const struct options *options, struct problem *problem)
{
	struct daemon *daemon = calloc(1, sizeof(*daemon));
	struct inherited inherited;
	int error;

	if (!daemon) {
		problem_say(problem, "cannot start: out of memory");
		return -ENOMEM;
	}
	daemon->options = options;
	daemon->epoll = -1;
	daemon->io.drain_table = -1;
	daemon->signals = -1;
	daemon->asker = -1;
	daemon_begin_telling(daemon);
	error = service_inherit(&inherited, problem);
	if (!error)
		error = open_daemon(daemon, &inherited, problem);
	if (error) {
		takeover_decline(&inherited);
		free(daemon);
		return error;
	}
	go_on_with(daemon, &inherited.left);
	say_start(daemon);
	service_ready(&daemon->service);
	if (daemon->settings.syslog)
		log_leave_stderr();
	*ret = daemon;
	return 0;
}

void daemon_close(struct daemon *daemon)
{
	struct counters end;

	if (!daemon)
		return;
	daemon_finish(daemon);
	end = *daemon_totals(daemon);
	free_parts(daemon, daemon->given_over);
	journal_say_end(&end);
	free(daemon);
}
