/* SPDX-License-Identifier: MIT */
#include "lingerd/daemon.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "lingerd/engine.h"
#include "lingerd/events.h"
#include "lingerd/intake.h"
#include "lingerd/limits.h"
#include "lingerd/listener.h"
#include "lingerd/socket_io.h"

static const uint64_t GRACE_NS = 5 * NS_PER_S;
static const uint64_t REST_NS = 1 * NS_PER_MS;

enum { EVENTS_PER_ROUND = 256 };

struct daemon {
	const struct options *options;
	struct settings settings;
	struct users users;
	struct limits limits;
	uint64_t nofile;
	struct listener listener;
	struct socket_io io;
	int signals;
	struct linger_engine *engine;
	struct intake *intake;
	struct counters counters;
	uint64_t last_messages_ns;
	bool drain_wanted; /* by lingerctl: to be begun when the round is over */
	bool stopping;
	bool cut;
	uint64_t stop_at_ns; /* when stopping */
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
	return events_add(daemon->io.epoll, daemon->signals, EVENT_SIGNAL);
}

static void carry_out(void *context, enum linger_message_type command,
		      char answer[COMMAND_ANSWER_SIZE]);

static int open_parts(struct daemon *daemon)
{
	uint32_t fd_numbers =
		daemon->limits.connections + daemon->limits.senders + daemon->limits.reserve;
	int error;

	daemon->io.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (daemon->io.epoll < 0)
		return -errno;
	error = open_signals(daemon);
	if (error)
		return error;
	error = linger_engine_new(&daemon->engine, fd_numbers, &socket_linger_io, &daemon->io,
				  &daemon->users, &daemon->counters);
	if (error)
		return error;
	linger_engine_limit_clients(daemon->engine, daemon->settings.max_per_client);
	return intake_new(&daemon->intake, &(struct intake_parts){
						   .epoll = daemon->io.epoll,
						   .listener = daemon->listener.fd,
						   .limits = &daemon->limits,
						   .settings = &daemon->settings,
						   .users = &daemon->users,
						   .engine = daemon->engine,
						   .counters = &daemon->counters,
						   .command = carry_out,
						   .command_context = daemon,
					   });
}

static void free_parts(struct daemon *daemon)
{
	intake_free(daemon->intake);
	linger_engine_free(daemon->engine);
	if (daemon->signals >= 0)
		close(daemon->signals);
	if (daemon->io.epoll >= 0)
		close(daemon->io.epoll);
	listener_unlink(&daemon->listener);
	listener_close(&daemon->listener);
}

static void say_start(const struct daemon *daemon)
{
	const struct settings *settings = &daemon->settings;

	log_info("version %s takes connections on %s: up to %" PRIu32
		 " at once, from up to %" PRIu32 " senders; idle timeout %.6g s, total %.6g s",
		 LINGER_VERSION, settings->socket_path, daemon->limits.connections,
		 daemon->limits.senders, (double)settings->policy.idle_ns / NS_PER_S,
		 (double)settings->policy.total_ns / NS_PER_S);
	if (daemon->limits.connections < settings->max_connections &&
	    settings->max_connections != DEFAULT_MAX_CONNECTIONS)
		log_warning("not the %" PRIu32 " connections of max-connections: the limit of open "
			    "files is %" PRIu64 "; raise it (ulimit -n, LimitNOFILE=)",
			    settings->max_connections, daemon->nofile);
}

static int open_daemon(struct daemon *daemon, struct problem *problem)
{
	int error = options_settings(daemon->options, &daemon->settings, problem);

	if (error)
		return error;
	error = limits_take(daemon->settings.max_connections, &daemon->limits, &daemon->nofile);
	if (error) {
		problem_say(problem,
			    "the limit of open files, %" PRIu64 ", leaves no room for "
			    "connections; raise it (ulimit -n, LimitNOFILE=)",
			    daemon->nofile);
		return error;
	}
	daemon->counters.max_connections = daemon->limits.connections;
	error = listener_open(&daemon->listener, &daemon->settings, problem);
	if (error)
		return error;
	error = open_parts(daemon);
	if (error) {
		problem_say(problem, "cannot start: %s", strerror(-error));
		free_parts(daemon);
	}
	return error;
}

int daemon_open(struct daemon **ret, const struct options *options, struct problem *problem)
{
	struct daemon *daemon = calloc(1, sizeof(*daemon));
	int error;

	if (!daemon) {
		problem_say(problem, "cannot start: out of memory");
		return -ENOMEM;
	}
	daemon->options = options;
	daemon->io.epoll = -1;
	daemon->signals = -1;
	error = open_daemon(daemon, problem);
	if (error) {
		free(daemon);
		return error;
	}
	say_start(daemon);
	*ret = daemon;
	return 0;
}

static void say_unchanged(const struct settings *old, const struct settings *new)
{
	if (strcmp(old->socket_path, new->socket_path) != 0)
		log_warning("socket cannot change while lingerd runs: it stays %s",
			    old->socket_path);
	if (old->socket_mode != new->socket_mode)
		log_warning("socket-mode cannot change while lingerd runs: it stays %04o",
			    (unsigned int)old->socket_mode);
	if (old->max_connections != new->max_connections)
		log_warning("max-connections cannot change while lingerd runs: it stays %" PRIu32,
			    old->max_connections);
}

/* All or nothing. 0, or a negative errno with *problem said. */
static int reload(struct daemon *daemon, struct problem *problem)
{
	struct settings settings;
	int error = options_settings(daemon->options, &settings, problem);

	if (error) {
		log_error("%s; all settings stay as they were", problem->text);
		return error;
	}
	say_unchanged(&daemon->settings, &settings);
	memcpy(settings.socket_path, daemon->settings.socket_path, sizeof(settings.socket_path));
	settings.socket_mode = daemon->settings.socket_mode;
	settings.max_connections = daemon->settings.max_connections;
	daemon->settings = settings;
	users_apply(&daemon->users, &settings);
	linger_engine_policies_changed(daemon->engine);
	linger_engine_limit_clients(daemon->engine, settings.max_per_client);
	intake_settings_changed(daemon->intake);
	log_info("settings read again: idle timeout %.6g s, total %.6g s",
		 (double)settings.policy.idle_ns / NS_PER_S,
		 (double)settings.policy.total_ns / NS_PER_S);
	return 0;
}

/* No new connections. grace_ns: how long those that linger may go on, at most. */
static void begin_to_end(struct daemon *daemon, uint64_t grace_ns)
{
	daemon->stopping = true;
	daemon->stop_at_ns = grace_ns == UINT64_MAX ? UINT64_MAX : clock_now_ns() + grace_ns;
	listener_unlink(&daemon->listener);
	intake_stop(daemon->intake);
}

static void stop(struct daemon *daemon)
{
	bool draining = daemon->stopping && daemon->stop_at_ns == UINT64_MAX;

	if (daemon->stopping && !draining) {
		daemon->cut = true;
		return;
	}
	if (draining)
		daemon->stop_at_ns = clock_now_ns() + GRACE_NS;
	else
		begin_to_end(daemon, GRACE_NS);
	log_info("ending: %" PRIu64 " connections have %.6g s to come to their end",
		 daemon->counters.lingers, (double)GRACE_NS / NS_PER_S);
}

static void drain(struct daemon *daemon)
{
	daemon->drain_wanted = false;
	if (daemon->stopping)
		return;
	begin_to_end(daemon, UINT64_MAX);
	log_info("draining: taking no more, and ending when the %" PRIu64
		 " connections that linger have",
		 daemon->counters.lingers);
}

static void carry_out(void *context, enum linger_message_type command,
		      char answer[COMMAND_ANSWER_SIZE])
{
	struct daemon *daemon = context;
	uint64_t lingers = daemon->counters.lingers;
	struct problem problem = { "" };

	switch (command) {
	case LINGER_MESSAGE_DRAIN:
		daemon->drain_wanted = true;
		snprintf(answer, COMMAND_ANSWER_SIZE,
			 "ok: takes no more; ends when %" PRIu64 " connections have\n", lingers);
		return;
	case LINGER_MESSAGE_CLOSE_ALL:
		linger_engine_end_all(daemon->engine, LINGER_COMMAND);
		log_info("closed all %" PRIu64 " connections, as commanded", lingers);
		snprintf(answer, COMMAND_ANSWER_SIZE, "ok: closed %" PRIu64 " connections\n",
			 lingers);
		return;
	default:
		if (reload(daemon, &problem))
			snprintf(answer, COMMAND_ANSWER_SIZE,
				 "error: %s; all settings stay as they were\n", problem.text);
		else
			snprintf(answer, COMMAND_ANSWER_SIZE, "ok: settings read again\n");
	}
}

static void receive_signals(struct daemon *daemon)
{
	struct signalfd_siginfo info;

	while (read(daemon->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGHUP)
			reload(daemon, &(struct problem){ "" });
		else
			stop(daemon);
	}
}

static void dispatch(struct daemon *daemon, const struct epoll_event *event)
{
	switch (event_source(event)) {
	case EVENT_SIGNAL:
		receive_signals(daemon);
		break;
	case EVENT_LISTENER:
		intake_listener_ready(daemon->intake);
		break;
	case EVENT_SENDER:
		intake_sender_ready(daemon->intake, event_fd(event));
		break;
	case EVENT_LINGER:
		linger_engine_ready(daemon->engine, event_fd(event));
		break;
	}
}

/* Milliseconds until there is something to do, rounded up; -1: until an event. */
static int time_to_sleep(const struct daemon *daemon)
{
	uint64_t next = linger_engine_next_ns(daemon->engine);
	uint64_t now, ms;

	if (daemon->stopping && daemon->stop_at_ns < next)
		next = daemon->stop_at_ns;
	if (next == UINT64_MAX)
		return -1;
	now = clock_now_ns();
	ms = next > now ? (next - now + NS_PER_MS - 1) / NS_PER_MS : 0;
	return ms < INT_MAX ? (int)ms : INT_MAX;
}

/*
 * Busy is who has had messages in this round and, not long ago, in another. The first message
 * after a silence is served at once, and no timer runs while there is silence.
 */
static void rest_if_busy(struct daemon *daemon)
{
	const struct timespec rest = { .tv_nsec = (long)REST_NS };
	uint64_t now = clock_now_ns();
	bool more, busy;

	if (!intake_round(daemon->intake, &more))
		return;
	busy = now - daemon->last_messages_ns < 2 * REST_NS;
	if (busy && !more)
		nanosleep(&rest, NULL);
	daemon->last_messages_ns = clock_now_ns();
}

static bool ended(const struct daemon *daemon)
{
	if (!daemon->stopping)
		return false;
	return daemon->cut || clock_now_ns() >= daemon->stop_at_ns ||
	       (intake_done(daemon->intake) && !daemon->counters.lingers);
}

int daemon_run(struct daemon *daemon)
{
	struct epoll_event events[EVENTS_PER_ROUND];

	while (!ended(daemon)) {
		int count = epoll_wait(daemon->io.epoll, events, EVENTS_PER_ROUND,
				       time_to_sleep(daemon));

		if (count < 0 && errno == EINTR)
			continue; /* stopped for a while, perhaps: events go before deadlines */
		if (count < 0) {
			log_error("epoll_wait: %m");
			return -errno;
		}
		for (int i = 0; i < count; i++)
			dispatch(daemon, &events[i]);
		if (daemon->drain_wanted)
			drain(daemon);
		linger_engine_expire(daemon->engine);
		intake_resume(daemon->intake);
		rest_if_busy(daemon);
	}
	return 0;
}

static uint64_t refused(const struct counters *c)
{
	return c->refused_no_fd + c->refused_many_fds + c->refused_not_tcp +
	       c->refused_not_connected + c->refused_bad_message + c->refused_version +
	       c->refused_truncated + c->refused_access + c->refused_command;
}

static void say_end(const struct counters *c)
{
	char ends[COUNTERS_TEXT_MAX];

	counters_format_ends(c, ends);
	log_info("ended: %" PRIu64 " handoffs: %s; %" PRIu64 " refused, %" PRIu64 " bytes drained",
		 c->handoffs, ends, refused(c), c->drained_bytes);
}

void daemon_close(struct daemon *daemon)
{
	if (!daemon)
		return;
	if (!daemon->stopping)
		begin_to_end(daemon, 0);
	intake_cut(daemon->intake);
	free_parts(daemon);
	say_end(&daemon->counters);
	free(daemon);
}
