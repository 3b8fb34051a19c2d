/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "lingerd/daemon_parts.h"
#include "lingerd/takeover.h"

/* Who owns the path also takes it away; else whoever connects now is served by the next process. */
static enum intake_stop backlog_of(const struct daemon *daemon)
{
	return daemon->listener.lock >= 0 ? INTAKE_CLOSE_BACKLOG : INTAKE_LEAVE_BACKLOG;
}

/* No new connections. grace_ns: how long those that linger may go on, at most. */
static void begin_to_end(struct daemon *daemon, uint64_t grace_ns)
{
	daemon->stopping = true;
	daemon->stop_at_ns = grace_ns == UINT64_MAX ? UINT64_MAX : clock_now_ns() + grace_ns;
	listener_unlink(&daemon->listener);
	intake_stop(daemon->intake, backlog_of(daemon));
}

void daemon_stop(struct daemon *daemon)
{
	uint64_t lingers;

	uint64_t grace_ns = daemon->settings.stop_grace_ns;
	bool draining = daemon->stopping && daemon->stop_at_ns == UINT64_MAX;

	if (daemon->stopping && !draining) {
		daemon->cut = true;
		return;
	}
	if (draining)
		daemon->stop_at_ns = clock_now_ns() + grace_ns;
	else
		begin_to_end(daemon, grace_ns);
	/* Not when it drains: from here on a service manager counts the time. */
	service_stopping(&daemon->service);
	lingers = daemon_totals(daemon)->lingers;
	if (lingers)
		log_info("ending: %" PRIu64 " connection%s %.6g s to come to %s end", lingers,
			 lingers == 1 ? " has" : "s have", (double)grace_ns / NS_PER_S,
			 lingers == 1 ? "its" : "their");
	else
		log_info("ending: nothing lingers");
}

void daemon_drain(struct daemon *daemon)
{
	daemon->drain_wanted = false;
	if (daemon->stopping)
		return;
	begin_to_end(daemon, UINT64_MAX);
	log_info("draining: taking no more, and ending when the %" PRIu64
		 " connections that linger have",
		 daemon_totals(daemon)->lingers);
}

bool daemon_ended(struct daemon *daemon)
{
	if (!daemon->stopping)
		return false;
	return daemon->cut || clock_now_ns() >= daemon->stop_at_ns ||
	       (intake_done(daemon->intake) && !daemon_totals(daemon)->lingers &&
		!daemon->left.count);
}

static bool cut(void *context)
{
	struct daemon *daemon = context;

	linger_engine_end_all(daemon->engine, LINGER_SHUTDOWN);
	return true;
}

struct leaving {
	struct daemon *daemon;
	struct succession succession;
	int error; /* why some could not be put into the queues; 0: all are in them */
};

/* What has been left to us and not been taken goes on as it is. */
static struct leaving begin_to_leave(struct daemon *daemon)
{
	struct leaving leaving = { .daemon = daemon, .succession = daemon->left };

	daemon->left.count = 0;
	return leaving;
}

/* Whether all are in the queues. */
static bool fill(void *context)
{
	struct leaving *leaving = context;
	struct daemon *daemon = leaving->daemon;

	leaving->error = succession_fill(&leaving->succession, daemon->engine, UINT64_MAX,
					 &daemon->counters);
	return !leaving->error;
}

/* What cannot be put into the queues of a process that ends is cut: there is no third way. */
static bool leave(void *context)
{
	struct leaving *leaving = context;

	if (fill(leaving))
		return true;
	log_error("%" PRIu64 " connections cannot be left to another process: %s",
		  leaving->daemon->counters.lingers, strerror(-leaving->error));
	return cut(leaving->daemon);
}

static void leave_to_service_manager(struct daemon *daemon)
{
	struct leaving leaving = begin_to_leave(daemon);
	uint64_t before = daemon->counters.passed_on, count;
	int error;

	intake_finish(daemon->intake, leave, &leaving);
	leave(&leaving);
	succession_seal(&leaving.succession);
	daemon_leave_shelved(daemon, &leaving.succession, daemon->counters.passed_on - before);
	count = daemon_totals(daemon)->passed_on;
	error = service_store(&leaving.succession);
	if (error)
		log_error("the service manager does not keep the %" PRIu64
			  " connections that linger, they are cut: %s",
			  count, strerror(-error));
	else if (count)
		log_info("left %" PRIu64 " connections to the service manager; if it does not "
			 "start lingerd again, they are cut",
			 count);
	succession_close(&leaving.succession);
}

static void cut_own(struct daemon *daemon)
{
	cut(daemon);
	succession_cut(&daemon->left, &daemon->counters);
}

static void finish_own(struct daemon *daemon)
{
	if (!daemon->stopping)
		begin_to_end(daemon, 0);
	if (daemon->settings.fd_store && daemon->service.managed) {
		leave_to_service_manager(daemon);
		return;
	}
	cut(daemon);
	intake_finish(daemon->intake, cut, daemon);
	cut_own(daemon);
}

void daemon_finish(struct daemon *daemon)
{
	if (!daemon->given_over)
		finish_own(daemon);
	else
		cut_own(daemon);
	if (daemon->workers)
		workers_end(daemon->workers);
}

/*
 * They come from there as they would in another process, with those of an earlier attempt. In the end they have never
 * been away: who asks finds them neither in passed_on nor in restored, and until then in both.
 */
static void take_back(struct daemon *daemon, struct succession *left, uint64_t away)
{
	succession_seal(left);
	daemon->left = *left;
	left->count = 0;
	daemon->coming_back += away;
	daemon_go_on(daemon);
	intake_go_on(daemon->intake);
}

/* What the queues had no room for is ours still; everything else is the other one's. */
static void linger_on(struct daemon *daemon)
{
	uint64_t count = daemon_totals(daemon)->lingers;

	daemon->given_over = daemon->stopping = true;
	daemon->stop_at_ns = clock_now_ns() + daemon->settings.stop_grace_ns;
	if (count)
		log_warning("%" PRIu64
			    " more connections than can be passed on at once have %.6g s "
			    "to come to their end here",
			    count, (double)daemon->settings.stop_grace_ns / NS_PER_S);
}

static void hang_up(struct daemon *daemon)
{
	close(daemon->asker);
	daemon->asker = -1;
}

static void refuse_takeover(struct daemon *daemon, const char *reason)
{
	char answer[200];

	snprintf(answer, sizeof(answer), "error: %s\n", reason);
	if (send(daemon->asker, answer, strlen(answer), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		log_info("whoever wanted to take over is gone: %m");
	hang_up(daemon);
}

static const char *reason_to_keep_all(int error)
{
	return error == -ETOOMANYREFS
		       ? "more linger, or wait in servers' queues, than may be on their way at "
			 "once; try again when they are fewer, or raise its limit of open files"
		       : strerror(-error);
}

/* Who goes on must not lose anything for an attempt: if not all can leave, nobody does. */
static void keep_all(struct daemon *daemon, struct leaving *leaving, uint64_t away)
{
	const char *reason = reason_to_keep_all(leaving->error);

	log_error("another lingerd cannot take over, going on: %s", reason);
	refuse_takeover(daemon, reason);
	succession_seal(&leaving->succession);
	take_back(daemon, &leaving->succession, away);
}

void daemon_give_over(struct daemon *daemon)
{
	struct leaving leaving = { .daemon = daemon };
	struct inherited legacy = { .listener = daemon->listener.fd,
				    .lock = daemon->listener.lock };
	uint64_t before = daemon->counters.passed_on;
	uint64_t before_of_all = daemon_totals(daemon)->passed_on, away;
	int confirmation, error;

	if (daemon->stopping) {
		/* Something else has ended it in the same round: there is nothing to go on with. */
		refuse_takeover(daemon, "it is ending already");
		return;
	}
	leaving = begin_to_leave(daemon);
	intake_stop(daemon->intake, INTAKE_LEAVE_BACKLOG);
	if (!intake_finish(daemon->intake, fill, &leaving) || !fill(&leaving)) {
		keep_all(daemon, &leaving, daemon->counters.passed_on - before);
		return;
	}
	succession_seal(&leaving.succession);
	daemon_leave_shelved(daemon, &leaving.succession, daemon->counters.passed_on - before);
	away = daemon_totals(daemon)->passed_on - before_of_all;
	legacy.left = leaving.succession;
	endpoint_close(&daemon->endpoint); /* the other one opens its own at the same place */
	error = takeover_answer(daemon->asker, &legacy, &confirmation);
	if (!error && !takeover_confirmed(confirmation))
		error = -ECONNABORTED;
	hang_up(daemon);
	if (error) {
		log_error("another lingerd has not taken over, going on: %s", strerror(-error));
		take_back(daemon, &leaving.succession, away);
		daemon_reopen_endpoint(daemon);
		return;
	}
	away += daemon->coming_back;
	daemon->coming_back = 0;
	log_info("another lingerd has taken over, with %" PRIu64 " connections that linger", away);
	succession_close(&leaving.succession);
	linger_on(daemon);
}
