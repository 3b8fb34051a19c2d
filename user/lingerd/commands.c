/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "lingerd/daemon_parts.h"

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
	if (strcmp(old->metrics, new->metrics) != 0 || old->metrics_remote != new->metrics_remote)
		log_warning("metrics cannot change while lingerd runs: they stay at %s",
			    *old->metrics ? old->metrics : "none");
	if (old->sandbox != new->sandbox)
		log_warning("sandbox cannot change while lingerd runs: it stays %s",
			    old->sandbox ? "on" : "off");
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
	memcpy(settings.metrics, daemon->settings.metrics, sizeof(settings.metrics));
	settings.metrics_remote = daemon->settings.metrics_remote;
	settings.sandbox = daemon->settings.sandbox;
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

static int reload_and_tell(struct daemon *daemon, struct problem *problem)
{
	int error;

	service_reloading(&daemon->service);
	error = reload(daemon, problem);
	service_ready(&daemon->service);
	return error;
}

void daemon_receive_signals(struct daemon *daemon)
{
	struct signalfd_siginfo info;

	while (read(daemon->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGHUP)
			reload_and_tell(daemon, &(struct problem){ "" });
		else
			daemon_stop(daemon);
	}
}

static void close_all(struct daemon *daemon, char answer[COMMAND_ANSWER_SIZE])
{
	uint64_t count = daemon->counters.lingers;

	linger_engine_end_all(daemon->engine, LINGER_COMMAND);
	log_info("closed all %" PRIu64 " connections, as commanded", count);
	snprintf(answer, COMMAND_ANSWER_SIZE, "ok: closed %" PRIu64 " connections\n", count);
}

static void be_taken_over(struct daemon *daemon, int asker, char answer[COMMAND_ANSWER_SIZE])
{
	if (daemon->listener.lock < 0) {
		snprintf(answer, COMMAND_ANSWER_SIZE,
			 "error: the service manager has its socket: restart the service\n");
	} else if (daemon->stopping || daemon->asker >= 0) {
		snprintf(answer, COMMAND_ANSWER_SIZE, "error: it is ending already\n");
	} else {
		/* One of our own: it may hang up in this very round, and its number be another's then. */
		daemon->asker = fcntl(asker, F_DUPFD_CLOEXEC, 0);
		if (daemon->asker < 0)
			snprintf(answer, COMMAND_ANSWER_SIZE, "error: %s\n", strerror(errno));
		else
			*answer = '\0';
	}
}

void daemon_carry_out(void *context, int sender, enum linger_message_type command,
		      char answer[COMMAND_ANSWER_SIZE])
{
	struct daemon *daemon = context;
	struct problem problem = { "" };

	switch (command) {
	case LINGER_MESSAGE_DRAIN:
		daemon->drain_wanted = true;
		snprintf(answer, COMMAND_ANSWER_SIZE,
			 "ok: takes no more; ends when %" PRIu64 " connections have\n",
			 daemon->counters.lingers);
		break;
	case LINGER_MESSAGE_CLOSE_ALL:
		close_all(daemon, answer);
		break;
	case LINGER_MESSAGE_TAKE_OVER:
		be_taken_over(daemon, sender, answer);
		break;
	default:
		if (reload_and_tell(daemon, &problem))
			snprintf(answer, COMMAND_ANSWER_SIZE,
				 "error: %s; all settings stay as they were\n", problem.text);
		else
			snprintf(answer, COMMAND_ANSWER_SIZE, "ok: settings read again\n");
	}
}
