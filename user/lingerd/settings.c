/* SPDX-License-Identifier: MIT */
#include "lingerd/settings.h"

#include <stdarg.h>
#include <stdio.h>

#include "common/clock.h"
#include "liblinger/linger.h"

const char *const setting_names[SETTING_COUNT] = {
	[SETTING_SOCKET] = "socket",
	[SETTING_SOCKET_MODE] = "socket-mode",
	[SETTING_SOCKET_GROUP] = "socket-group",
	[SETTING_MAX_CONNECTIONS] = "max-connections",
	[SETTING_WORKERS] = "workers",
	[SETTING_WHEN_FULL] = "when-full",
	[SETTING_MAX_PER_CLIENT] = "max-per-client",
	[SETTING_ALLOW_USERS] = "allow-users",
	[SETTING_ALLOW_GROUPS] = "allow-groups",
	[SETTING_STOP_GRACE] = "stop-grace",
	[SETTING_FD_STORE] = "fd-store",
	[SETTING_METRICS] = "metrics",
	[SETTING_METRICS_REMOTE] = "metrics-remote",
	[SETTING_SUMMARY_INTERVAL] = "summary-interval",
	[SETTING_LOG] = "log",
	[SETTING_USER] = "user",
	[SETTING_PID_FILE] = "pid-file",
	[SETTING_SANDBOX] = "sandbox",
	[SETTING_IO_URING] = "io-uring",
	[SETTING_DRAIN] = "drain",
	[SETTING_DRAIN_TABLE] = "drain-table",
	[SETTING_IDLE_TIMEOUT] = "idle-timeout",
	[SETTING_TOTAL_TIMEOUT] = "total-timeout",
	[SETTING_BYTE_CAP] = "byte-cap",
	[SETTING_AT_DEADLINE] = "at-deadline",
	[SETTING_MAX_PER_USER] = "max-per-user",
};

_Static_assert(SETTING_COUNT <= 32, "a bit for each in user_settings.given");

void problem_say(struct problem *problem, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(problem->text, sizeof(problem->text), format, arguments);
	va_end(arguments);
}

void settings_default(struct settings *settings)
{
	*settings = (struct settings){
		.socket_path = LINGER_DEFAULT_SOCKET,
		.socket_mode = 0660,
		.socket_group = GROUP_UNCHANGED,
		.workers = 1,
		.when_full = FULL_REFUSE,
		.max_per_client = POLICY_NO_LIMIT,
		.stop_grace_ns = 5 * NS_PER_S,
		.summary_ns = 60 * NS_PER_S,
		.user = USER_UNCHANGED,
		.user_group = GROUP_UNCHANGED,
		.sandbox = true,
		.io_uring = true,
		.drain_table = DEFAULT_DRAIN_TABLE,
		.policy = {
			.idle_ns = 2 * NS_PER_S,
			.total_ns = 30 * NS_PER_S,
			.byte_cap = POLICY_NO_CAP,
			.max_per_user = POLICY_NO_LIMIT,
			.give_up = GIVE_UP_CLOSE,
		},
	};
}

static void override(struct linger_policy *policy, const struct user_settings *user)
{
	if (user->given & 1U << SETTING_IDLE_TIMEOUT)
		policy->idle_ns = user->policy.idle_ns;
	if (user->given & 1U << SETTING_TOTAL_TIMEOUT)
		policy->total_ns = user->policy.total_ns;
	if (user->given & 1U << SETTING_BYTE_CAP)
		policy->byte_cap = user->policy.byte_cap;
	if (user->given & 1U << SETTING_MAX_PER_USER)
		policy->max_per_user = user->policy.max_per_user;
	if (user->given & 1U << SETTING_AT_DEADLINE) {
		policy->give_up = user->policy.give_up;
		policy->fin_wait_2_s = user->policy.fin_wait_2_s;
	}
}

void settings_policy_of(const struct settings *settings, uid_t uid, struct linger_policy *ret)
{
	*ret = settings->policy;
	for (uint32_t i = 0; i < settings->user_count; i++)
		if (settings->users[i].uid == uid)
			override(ret, &settings->users[i]);
}
