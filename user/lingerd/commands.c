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

static bool keep(enum setting setting, const void *old, void *new, size_t size)
{
	if (!memcmp(old, new, size))
		return false;
	log_warning("%s cannot change while lingerd runs: it stays as it was at the start",
		    setting_names[setting]);
	memcpy(new, old, size);
	return true;
}

#define KEEP(setting, field) keep(setting, &old->field, &new->field, sizeof(new->field))

/* What it has been started with; a character array is zero behind its text. How many of them were to change. */
static unsigned int keep_fixed(const struct settings *old, struct settings *new)
{
	unsigned int count = 0;

	count += KEEP(SETTING_SOCKET, socket_path);
	count += KEEP(SETTING_SOCKET_MODE, socket_mode);
	count += KEEP(SETTING_SOCKET_GROUP, socket_group);
	count += KEEP(SETTING_MAX_CONNECTIONS, max_connections);
	count += KEEP(SETTING_WORKERS, workers);
	count += KEEP(SETTING_METRICS, metrics);
	count += KEEP(SETTING_METRICS_REMOTE, metrics_remote);
	count += KEEP(SETTING_LOG, syslog);
	count += KEEP(SETTING_USER, user);
	count += KEEP(SETTING_PID_FILE, pid_file);
	count += KEEP(SETTING_SANDBOX, sandbox);
	count += KEEP(SETTING_IO_URING, io_uring);
	count += KEEP(SETTING_DRAIN, drain_in_kernel);
	count += KEEP(SETTING_DRAIN_TABLE, drain_table);
	return count;
}

/*
 * All or nothing. 0, or a negative errno with *problem said. *ret_kept: settings that cannot change while lingerd runs,
 * and were to.
 */
static int reload(struct daemon *daemon, unsigned int *ret_kept, struct problem *problem)
{
	struct settings settings;
	int error = options_settings(daemon->options, &settings, problem);

	if (error) {
		log_error("%s; all settings stay as they were", problem->text);
		return error;
	}
	*ret_kept = keep_fixed(&daemon->settings, &settings);
	daemon->settings = settings;
	users_apply(&daemon->users, &settings);
	linger_engine_policies_changed(daemon->engine);
	linger_engine_limit_clients(daemon->engine, settings.max_per_client);
	intake_settings_changed(daemon->intake);
	if (daemon->workers)
		workers_reload(daemon->workers, &daemon->settings);
	log_info("settings read again%s: idle timeout %.6g s, total %.6g s",
		 daemon->options->config_path ? "" : " (from no file, without --config)",
		 (double)settings.policy.idle_ns / NS_PER_S,
		 (double)settings.policy.total_ns / NS_PER_S);
	return 0;
}

static int reload_and_tell(struct daemon *daemon, unsigned int *ret_kept, struct problem *problem)
{
	int error;

	service_reloading(&daemon->service);
	error = reload(daemon, ret_kept, problem);
	service_ready(&daemon->service);
	return error;
}

void daemon_receive_signals(struct daemon *daemon)
{
	struct signalfd_siginfo info;
	unsigned int kept;

	while (read(daemon->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGHUP)
			reload_and_tell(daemon, &kept, &(struct problem){ "" });
		else
			daemon_stop(daemon);
	}
}

static void close_all(struct daemon *daemon, char answer[COMMAND_ANSWER_SIZE])
{
	uint64_t count = daemon_totals(daemon)->lingers;

	linger_engine_end_all(daemon->engine, LINGER_COMMAND);
	if (daemon->workers)
		workers_close_all(daemon->workers);
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

static void carry_out_reload(struct daemon *daemon, char answer[COMMAND_ANSWER_SIZE])
{
	struct problem problem = { "" };
	unsigned int kept = 0;

	if (reload_and_tell(daemon, &kept, &problem))
		snprintf(answer, COMMAND_ANSWER_SIZE, "error: %s; all settings stay as they were\n",
			 problem.text);
	else if (!daemon->options->config_path)
		snprintf(answer, COMMAND_ANSWER_SIZE,
			 "ok: there is no file to read again: lingerd was started without "
			 "--config\n");
	else if (kept)
		snprintf(answer, COMMAND_ANSWER_SIZE,
			 "ok: settings read again, but %u that cannot change while lingerd runs; "
			 "its log "
			 "says which\n",
			 kept);
	else
		snprintf(answer, COMMAND_ANSWER_SIZE, "ok: settings read again\n");
}

static void say_drain(uint64_t lingers, char answer[COMMAND_ANSWER_SIZE])
{
	if (lingers)
		snprintf(answer, COMMAND_ANSWER_SIZE,
			 "ok: takes no more; ends when %" PRIu64 " connection%s\n", lingers,
			 lingers == 1 ? " has" : "s have");
	else
		snprintf(answer, COMMAND_ANSWER_SIZE, "ok: takes no more, and ends\n");
}

void daemon_carry_out(void *context, int sender, enum linger_message_type command,
		      char answer[COMMAND_ANSWER_SIZE])
{
	struct daemon *daemon = context;

	/* In the queue of a sender, behind the one who wants to take over: it is for that one to do. */
	if (daemon->asker >= 0 && command != LINGER_MESSAGE_TAKE_OVER) {
		snprintf(answer, COMMAND_ANSWER_SIZE,
			 "error: another lingerd is taking over: ask that one\n");
		return;
	}
	switch (command) {
	case LINGER_MESSAGE_DRAIN:
		daemon->drain_wanted = true;
		say_drain(daemon_totals(daemon)->lingers, answer);
		break;
	case LINGER_MESSAGE_CLOSE_ALL:
		close_all(daemon, answer);
		break;
	case LINGER_MESSAGE_TAKE_OVER:
		be_taken_over(daemon, sender, answer);
		break;
	default:
		carry_out_reload(daemon, answer);
	}
}
