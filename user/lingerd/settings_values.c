/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/number.h"
#include "common/quantity.h"
#include "lingerd/settings.h"
#include "metrics/target.h"

static const double LONGEST_TIMEOUT_S = 3600;
static const double LONGEST_SUMMARY_S = 86400;

enum {
	MOST_CONNECTIONS = 1000000,
	MOST_WORKERS = 64,
	/* tcp(7): the kernel takes no longer time for TCP_LINGER2. */
	LONGEST_FIN_WAIT_2_S = 120,
	NAMES_MAX = 256,
};

/* Which fits. What is behind it is zero, so that equal values are equal bytes. */
static void set_text(char *ret, size_t size, const char *value)
{
	memset(ret, 0, size);
	strcpy(ret, value);
}

/* A choice of two. *ret: whether it is the second. */
static int set_choice(enum setting setting, bool *ret, const char *value, const char *first,
		      const char *second, struct problem *problem)
{
	if (strcmp(value, first) != 0 && strcmp(value, second) != 0) {
		problem_say(problem, "%s: '%.32s' is neither %s nor %s", setting_names[setting],
			    value, first, second);
		return -EINVAL;
	}
	*ret = !strcmp(value, second);
	return 0;
}

static int set_path(struct settings *settings, const char *value, struct problem *problem)
{
	size_t length = strlen(value);

	if (!length) {
		problem_say(problem, "socket: the path is empty");
		return -EINVAL;
	}
	if (length >= SOCKET_PATH_SIZE) {
		problem_say(problem,
			    "socket: the path has %zu bytes, a socket path %d at most; choose a "
			    "shorter one",
			    length, SOCKET_PATH_SIZE - 1);
		return -EINVAL;
	}
	set_text(settings->socket_path, sizeof(settings->socket_path), value);
	return 0;
}

static int set_mode(struct settings *settings, const char *value, struct problem *problem)
{
	size_t length = strlen(value);

	if (length < 3 || length > 4 || strspn(value, "01234567") != length ||
	    (length == 4 && value[0] != '0')) {
		problem_say(problem, "socket-mode: '%.32s' is no mode from 000 to 777", value);
		return -EINVAL;
	}
	settings->socket_mode = (mode_t)strtoul(value, NULL, 8);
	return 0;
}

static int set_socket_group(struct settings *settings, const char *value, struct problem *problem)
{
	gid_t group = GROUP_UNCHANGED;

	if (strcmp(value, "none") != 0 && access_find_group(value, &group)) {
		problem_say(problem, "socket-group: there is no group '%.64s' on this system",
			    value);
		return -EINVAL;
	}
	settings->socket_group = group;
	return 0;
}

static int set_user(struct settings *settings, const char *value, struct problem *problem)
{
	uid_t user = USER_UNCHANGED;
	gid_t group = GROUP_UNCHANGED;

	if (strcmp(value, "none") != 0 && access_find_account(value, &user, &group)) {
		problem_say(problem, "user: there is no user '%.64s' on this system", value);
		return -EINVAL;
	}
	settings->user = user;
	settings->user_group = group;
	return 0;
}

static int set_pid_file(struct settings *settings, const char *value, struct problem *problem)
{
	if (!strcmp(value, "none")) {
		set_text(settings->pid_file, sizeof(settings->pid_file), "");
		return 0;
	}
	if (*value != '/' || strlen(value) >= sizeof(settings->pid_file)) {
		problem_say(problem,
			    "pid-file: '%.64s' is neither none nor a path from / on, of up to %zu "
			    "bytes",
			    value, sizeof(settings->pid_file) - 1);
		return -EINVAL;
	}
	set_text(settings->pid_file, sizeof(settings->pid_file), value);
	return 0;
}

static int set_drain_table(struct settings *settings, const char *value, struct problem *problem)
{
	if (*value != '/' || strlen(value) >= sizeof(settings->drain_table)) {
		problem_say(problem,
			    "drain-table: '%.64s' is no path from / on, of up to %zu bytes", value,
			    sizeof(settings->drain_table) - 1);
		return -EINVAL;
	}
	set_text(settings->drain_table, sizeof(settings->drain_table), value);
	return 0;
}

static int set_when_full(struct settings *settings, const char *value, struct problem *problem)
{
	bool shed;

	if (set_choice(SETTING_WHEN_FULL, &shed, value, "refuse", "shed-oldest", problem))
		return -EINVAL;
	settings->when_full = shed ? FULL_SHED_OLDEST : FULL_REFUSE;
	return 0;
}

static int set_number(enum setting setting, uint32_t *ret, int most, const char *value,
		      struct problem *problem)
{
	uint64_t number;

	if (number_parse(value, 1, (uint64_t)most, &number)) {
		problem_say(problem, "%s: '%.32s' is no number from 1 to %d",
			    setting_names[setting], value, most);
		return -EINVAL;
	}
	*ret = (uint32_t)number;
	return 0;
}

static int set_quota(enum setting setting, uint32_t *ret, const char *value,
		     struct problem *problem)
{
	uint64_t number = POLICY_NO_LIMIT;

	if (strcmp(value, "none") != 0 && number_parse(value, 1, MOST_CONNECTIONS, &number)) {
		problem_say(problem, "%s: '%.32s' is neither none nor a number from 1 to %d",
			    setting_names[setting], value, MOST_CONNECTIONS);
		return -EINVAL;
	}
	*ret = (uint32_t)number;
	return 0;
}

/* Names or numbers, with commas or blanks between them. */
static int set_ids(enum setting setting, uint32_t ret[ACCESS_MAX], uint32_t *ret_count,
		   const char *value, struct problem *problem)
{
	int (*find)(const char *, uint32_t *) =
		setting == SETTING_ALLOW_USERS ? access_find_user : access_find_group;
	uint32_t ids[ACCESS_MAX] = { 0 };
	char names[NAMES_MAX];
	uint32_t count = 0;
	char *rest = names;
	char *name;

	if (strlen(value) >= sizeof(names)) {
		problem_say(problem, "%s: more than %zu bytes", setting_names[setting],
			    sizeof(names) - 1);
		return -EINVAL;
	}
	strcpy(names, value);
	while ((name = strsep(&rest, ", \t"))) {
		if (!*name)
			continue;
		if (count == ACCESS_MAX) {
			problem_say(problem, "%s: more than %d names", setting_names[setting],
				    ACCESS_MAX);
			return -EINVAL;
		}
		if (find(name, &ids[count++])) {
			problem_say(problem, "%s: there is no '%.64s' on this system",
				    setting_names[setting], name);
			return -EINVAL;
		}
	}
	if (!count) {
		problem_say(problem, "%s: names nobody; leave it out to allow everybody",
			    setting_names[setting]);
		return -EINVAL;
	}
	memcpy(ret, ids, sizeof(ids));
	*ret_count = count;
	return 0;
}

static int set_seconds(enum setting setting, uint64_t *ret_ns, const char *value,
		       struct problem *problem)
{
	uint64_t ns;

	if (number_parse_seconds(value, LONGEST_TIMEOUT_S, &ns) || !ns) {
		problem_say(problem,
			    "%s: '%.32s' is no time in seconds, more than 0 and up to %.0f",
			    setting_names[setting], value, LONGEST_TIMEOUT_S);
		return -EINVAL;
	}
	*ret_ns = ns;
	return 0;
}

static int set_stop_grace(struct settings *settings, const char *value, struct problem *problem)
{
	if (number_parse_seconds(value, LONGEST_TIMEOUT_S, &settings->stop_grace_ns)) {
		problem_say(problem, "stop-grace: '%.32s' is no time in seconds, from 0 to %.0f",
			    value, LONGEST_TIMEOUT_S);
		return -EINVAL;
	}
	return 0;
}

static int set_switch(enum setting setting, bool *ret, const char *value, struct problem *problem)
{
	bool off;

	if (set_choice(setting, &off, value, "on", "off", problem))
		return -EINVAL;
	*ret = !off;
	return 0;
}

static int set_summary(struct settings *settings, const char *value, struct problem *problem)
{
	if (number_parse_seconds(value, LONGEST_SUMMARY_S, &settings->summary_ns)) {
		problem_say(problem,
			    "summary-interval: '%.32s' is no time in seconds, from 0 to %.0f",
			    value, LONGEST_SUMMARY_S);
		return -EINVAL;
	}
	return 0;
}

/* Whether others may reach the place is for settings_check(): that they may can be set later. */
static int check_metrics(const char *value, unsigned int allow, struct problem *problem)
{
	struct metrics_target target;
	char error[256];

	/* Each would have the loop wait for a disk. */
	if (!strncmp(value, "file:", 5)) {
		problem_say(problem, "metrics: '%.128s': lingerd writes no files", value);
		return -EINVAL;
	}
	if (metrics_target_parse(&target, value, allow, error, sizeof(error))) {
		problem_say(problem, "metrics: '%.128s': %s", value, error);
		return -EINVAL;
	}
	return 0;
}

static int set_metrics(struct settings *settings, const char *value, struct problem *problem)
{
	if (!strcmp(value, "none")) {
		set_text(settings->metrics, sizeof(settings->metrics), "");
		return 0;
	}
	if (check_metrics(value, METRICS_ALLOW_REMOTE, problem))
		return -EINVAL;
	if (strlen(value) >= sizeof(settings->metrics)) {
		problem_say(problem, "metrics: '%.128s...' is too long", value);
		return -EINVAL;
	}
	set_text(settings->metrics, sizeof(settings->metrics), value);
	return 0;
}

int settings_check(const struct settings *settings, struct problem *problem)
{
	struct problem reason = { "" };

	if (!*settings->metrics || settings->metrics_remote ||
	    !check_metrics(settings->metrics, 0, &reason))
		return 0;
	problem_say(problem, "%s: set metrics-remote to on to allow it", reason.text);
	return -EINVAL;
}

static int set_byte_cap(struct linger_policy *policy, const char *value, struct problem *problem)
{
	uint64_t bytes = POLICY_NO_CAP;

	if (strcmp(value, "none") != 0 && quantity_parse_bytes(value, 1, 1ULL << 40, &bytes)) {
		problem_say(problem,
			    "byte-cap: '%.32s' is neither none nor a number of bytes (64k, 10m, "
			    "1g)",
			    value);
		return -EINVAL;
	}
	policy->byte_cap = bytes;
	return 0;
}

static int set_at_deadline(struct linger_policy *policy, const char *value, struct problem *problem)
{
	static const char prefix[] = "fin-wait-2:";
	uint64_t seconds = 0;

	if (!strcmp(value, "close")) {
		policy->give_up = GIVE_UP_CLOSE;
	} else if (!strcmp(value, "reset")) {
		policy->give_up = GIVE_UP_RESET;
	} else if (!strncmp(value, prefix, strlen(prefix)) &&
		   !number_parse(value + strlen(prefix), 1, LONGEST_FIN_WAIT_2_S, &seconds)) {
		policy->give_up = GIVE_UP_FIN_WAIT_2;
	} else {
		problem_say(problem,
			    "at-deadline: '%.32s' is none of close, reset and fin-wait-2:SECONDS "
			    "(1 to %d)",
			    value, LONGEST_FIN_WAIT_2_S);
		return -EINVAL;
	}
	policy->fin_wait_2_s = (uint32_t)seconds;
	return 0;
}

int settings_set_policy(struct linger_policy *policy, enum setting setting, const char *value,
			struct problem *problem)
{
	switch (setting) {
	case SETTING_IDLE_TIMEOUT:
		return set_seconds(setting, &policy->idle_ns, value, problem);
	case SETTING_TOTAL_TIMEOUT:
		return set_seconds(setting, &policy->total_ns, value, problem);
	case SETTING_BYTE_CAP:
		return set_byte_cap(policy, value, problem);
	case SETTING_AT_DEADLINE:
		return set_at_deadline(policy, value, problem);
	case SETTING_MAX_PER_USER:
		return set_quota(setting, &policy->max_per_user, value, problem);
	default:
		abort();
	}
}

int settings_set(struct settings *settings, enum setting setting, const char *value,
		 struct problem *problem)
{
	switch (setting) {
	case SETTING_SOCKET:
		return set_path(settings, value, problem);
	case SETTING_SOCKET_MODE:
		return set_mode(settings, value, problem);
	case SETTING_SOCKET_GROUP:
		return set_socket_group(settings, value, problem);
	case SETTING_MAX_CONNECTIONS:
		return set_number(setting, &settings->max_connections, MOST_CONNECTIONS, value,
				  problem);
	case SETTING_WORKERS:
		return set_number(setting, &settings->workers, MOST_WORKERS, value, problem);
	case SETTING_WHEN_FULL:
		return set_when_full(settings, value, problem);
	case SETTING_MAX_PER_CLIENT:
		return set_quota(setting, &settings->max_per_client, value, problem);
	case SETTING_ALLOW_USERS:
		return set_ids(setting, settings->access.users, &settings->access.user_count, value,
			       problem);
	case SETTING_ALLOW_GROUPS:
		return set_ids(setting, settings->access.groups, &settings->access.group_count,
			       value, problem);
	case SETTING_STOP_GRACE:
		return set_stop_grace(settings, value, problem);
	case SETTING_FD_STORE:
		return set_switch(setting, &settings->fd_store, value, problem);
	case SETTING_METRICS:
		return set_metrics(settings, value, problem);
	case SETTING_METRICS_REMOTE:
		return set_switch(setting, &settings->metrics_remote, value, problem);
	case SETTING_SUMMARY_INTERVAL:
		return set_summary(settings, value, problem);
	case SETTING_LOG:
		return set_choice(setting, &settings->syslog, value, "stderr", "syslog", problem);
	case SETTING_USER:
		return set_user(settings, value, problem);
	case SETTING_PID_FILE:
		return set_pid_file(settings, value, problem);
	case SETTING_SANDBOX:
		return set_switch(setting, &settings->sandbox, value, problem);
	case SETTING_IO_URING:
		return set_switch(setting, &settings->io_uring, value, problem);
	case SETTING_DRAIN:
		return set_choice(setting, &settings->drain_in_kernel, value, "discard", "kernel",
				  problem);
	case SETTING_DRAIN_TABLE:
		return set_drain_table(settings, value, problem);
	default:
		return settings_set_policy(&settings->policy, setting, value, problem);
	}
}
