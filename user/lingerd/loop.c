/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <time.h>

#include "common/clock.h"
#include "common/log.h"
#include "lingerd/daemon_parts.h"
#include "lingerd/events.h"
#include "lingerd/ring.h"

enum { EVENTS_PER_ROUND = 256 };

/*
 * A rest costs a sleep and a wake-up, as much as some handoffs. So it is to bring some; and not many, since a thread has
 * room for 40 on their way to us.
 */
enum { FEW_MESSAGES = 8, MANY_MESSAGES = 16 };
static const uint64_t REST_NS = 1 * NS_PER_MS, LONG_REST_NS = 4 * NS_PER_MS;

/* Those of lingers at the beginning are worked through together. How many they are. */
static int dispatch_lingers(struct daemon *daemon, const struct epoll_event *events, int count)
{
	int fds[LINGER_BATCH], ready = 0;

	while (ready < count && ready < LINGER_BATCH &&
	       event_source(&events[ready]) == EVENT_LINGER) {
		fds[ready] = event_fd(&events[ready]);
		ready++;
	}
	if (ready)
		linger_engine_ready_all(daemon->engine, fds, ready);
	return ready;
}

/* Those in the ring, so many that the others have their turn. */
static void serve_ready(struct daemon *daemon)
{
	int fds[LINGER_BATCH], count;

	for (int served = 0; served < EVENTS_PER_ROUND; served += count) {
		count = watches_take_ready(&daemon->io.watches, fds, LINGER_BATCH);
		if (!count)
			return;
		linger_engine_ready_all(daemon->engine, fds, count);
	}
}

static void dispatch(struct daemon *daemon, const struct epoll_event *event)
{
	switch (event_source(event)) {
	case EVENT_SIGNAL:
		daemon_receive_signals(daemon);
		break;
	case EVENT_LISTENER:
		intake_listener_ready(daemon->intake);
		break;
	case EVENT_SENDER:
		intake_sender_ready(daemon->intake, event_fd(event));
		break;
	case EVENT_LINGER: /* dispatch_lingers() */
	case EVENT_RING:   /* serve_ready() */
		break;
	case EVENT_METRICS:
		endpoint_ready(&daemon->endpoint);
		break;
	case EVENT_CHANNEL:
		workers_ready(daemon->workers, event_fd(event), &daemon->left);
		break;
	}
}

/* Milliseconds until there is something to do, rounded up; -1: until an event. */
static int time_to_sleep(const struct daemon *daemon)
{
	uint64_t next = linger_engine_next_ns(daemon->engine);
	uint64_t telling = daemon_next_telling_ns(daemon);
	uint64_t intake = intake_next_ns(daemon->intake);
	uint64_t sharing = daemon_next_sharing_ns(daemon);

	if (daemon->stopping && daemon->stop_at_ns < next)
		next = daemon->stop_at_ns;
	if (telling < next)
		next = telling;
	if (intake < next)
		next = intake;
	if (sharing < next)
		next = sharing;
	return clock_ms_until(next);
}

static uint64_t next_rest_ns(uint64_t rest_ns, uint32_t messages)
{
	if (messages < FEW_MESSAGES && rest_ns < LONG_REST_NS)
		return 2 * rest_ns;
	if (messages > MANY_MESSAGES && rest_ns > REST_NS)
		return rest_ns / 2;
	return rest_ns;
}

/* Lingers that wait for their turn, and what is due earlier, make a long rest short. */
static void rest(const struct daemon *daemon)
{
	uint64_t ns = daemon->rest_ns;
	int due_ms = ns > REST_NS ? time_to_sleep(daemon) : -1;
	struct timespec left;

	if (ns > REST_NS && daemon->io.watches.ready_count)
		ns = REST_NS;
	else if (due_ms >= 0 && (uint64_t)due_ms * NS_PER_MS < ns)
		ns = due_ms ? (uint64_t)due_ms * NS_PER_MS : REST_NS;
	left = (struct timespec){ .tv_nsec = (long)ns };
	nanosleep(&left, NULL);
}

/*
 * Busy is who has had messages in this round and, not long ago, in another. The first message
 * after a silence is served at once, and no timer runs while there is silence.
 */
static void rest_if_busy(struct daemon *daemon)
{
	uint64_t now = clock_now_ns();
	bool more;
	uint32_t messages = intake_round(daemon->intake, &more);

	if (!messages)
		return;
	if (more || now - daemon->last_messages_ns >= 2 * daemon->rest_ns) {
		daemon->rest_ns = REST_NS;
	} else {
		daemon->rest_ns = next_rest_ns(daemon->rest_ns, messages);
		rest(daemon);
	}
	daemon->last_messages_ns = clock_now_ns();
}

static void work_through(struct daemon *daemon, const struct epoll_event *events, int count)
{
	uint64_t began = clock_now_ns();

	for (int i = 0; i < count;) {
		int ready = dispatch_lingers(daemon, &events[i], count - i);

		if (!ready)
			dispatch(daemon, &events[i]);
		i += ready ? ready : 1;
	}
	serve_ready(daemon);
	daemon->counters.uses_io_uring = ring_is_open();
	if (daemon->drain_wanted)
		daemon_drain(daemon);
	linger_engine_expire(daemon->engine);
	daemon_share(daemon);
	daemon_go_on(daemon); /* before others take the room */
	intake_resume(daemon->intake);
	daemon_tell(daemon, began);
}

int daemon_run(struct daemon *daemon)
{
	struct epoll_event events[EVENTS_PER_ROUND];

	while (!daemon_ended(daemon)) {
		bool sleeps = watches_sleep(&daemon->io.watches);
		int count = epoll_wait(daemon->epoll, events, EVENTS_PER_ROUND,
				       sleeps ? time_to_sleep(daemon) : 0);

		watches_wake(&daemon->io.watches);
		if (count < 0 && errno == EINTR)
			continue; /* stopped for a while, perhaps: events go before deadlines */
		if (count < 0 && events_wait_passes(errno))
			count = 0;
		if (count < 0) {
			log_error("epoll_wait: %m");
			return -errno;
		}
		work_through(daemon, events, count);
		if (daemon->asker >= 0)
			daemon_give_over(daemon);
		else
			rest_if_busy(daemon);
	}
	return 0;
}
