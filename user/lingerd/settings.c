/* SPDX-License-Identifier: MIT */
#include "lingerd/settings.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/number.h"
#include "liblinger/linger.h"

const char *const setting_names[SETTING_COUNT] = {
	[SETTING_SOCKET] = "socket",
	[SETTING_SOCKET_MODE] = "socket-mode",
	[SETTING_IDLE_TIMEOUT] = "idle-timeout",
	[SETTING_TOTAL_TIMEOUT] = "total-timeout",
	[SETTING_MAX_CONNECTIONS] = "max-connections",
};

static const double LONGEST_TIMEOUT_S = 3600;

enum { MOST_CONNECTIONS = 1000000 };

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
		.idle_timeout_ns = 2 * NS_PER_S,
		.total_timeout_ns = 30 * NS_PER_S,
		.max_connections = DEFAULT_MAX_CONNECTIONS,
	};
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
	memcpy(settings->socket_path, value, length + 1);
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

static int set_seconds(const char *name, uint64_t *ret_ns, const char *value,
		       struct problem *problem)
{
	uint64_t ns;

	if (number_parse_seconds(value, LONGEST_TIMEOUT_S, &ns) || !ns) {
		problem_say(problem,
			    "%s: '%.32s' is no time in seconds, more than 0 and up to %.0f", name,
			    value, LONGEST_TIMEOUT_S);
		return -EINVAL;
	}
	*ret_ns = ns;
	return 0;
}

static int set_connections(struct settings *settings, const char *value, struct problem *problem)
{
	uint64_t number;

	if (number_parse(value, 1, MOST_CONNECTIONS, &number)) {
		problem_say(problem, "max-connections: '%.32s' is no number from 1 to %d", value,
			    MOST_CONNECTIONS);
		return -EINVAL;
	}
	settings->max_connections = (uint32_t)number;
	return 0;
}

int settings_set(struct settings *settings, enum setting setting, const char *value,
		 struct problem *problem)
{
	switch (setting) {
	case SETTING_SOCKET:
		return set_path(settings, value, problem);
	case SETTING_SOCKET_MODE:
		return set_mode(settings, value, problem);
	case SETTING_IDLE_TIMEOUT:
		return set_seconds(setting_names[setting], &settings->idle_timeout_ns, value,
				   problem);
	case SETTING_TOTAL_TIMEOUT:
		return set_seconds(setting_names[setting], &settings->total_timeout_ns, value,
				   problem);
	case SETTING_MAX_CONNECTIONS:
		return set_connections(settings, value, problem);
	case SETTING_COUNT:
		break;
	}
	abort();
}
