/* SPDX-License-Identifier: MIT */
/*
 * What can be set, from a configuration file or the command line: both know the same keys (the
 * long options, without dashes). Settings are made in a staging structure and take effect only
 * when all of them are good.
 */
#ifndef LINGERD_SETTINGS_H
#define LINGERD_SETTINGS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* unix(7): sun_path with its final NUL. */
enum { SOCKET_PATH_SIZE = 108 };

struct settings {
	char socket_path[SOCKET_PATH_SIZE];
	mode_t socket_mode;
	uint64_t idle_timeout_ns;
	uint64_t total_timeout_ns;
	uint32_t max_connections; /* wished for; limits.h says how many there can be */
};

enum setting {
	SETTING_SOCKET,
	SETTING_SOCKET_MODE,
	SETTING_IDLE_TIMEOUT,
	SETTING_TOTAL_TIMEOUT,
	SETTING_MAX_CONNECTIONS,
	SETTING_COUNT,
};

extern const char *const setting_names[SETTING_COUNT];

/* Asked for unless something else is set: more than most limits of open files allow. */
enum { DEFAULT_MAX_CONNECTIONS = 65536 };

/* A message that says what is wrong with a setting or a file, without a line end. */
struct problem {
	char text[512];
};

__attribute__((format(printf, 2, 3))) void problem_say(struct problem *problem, const char *format,
						       ...);

void settings_default(struct settings *settings);

/* Sets one. 0, or -EINVAL with *problem said and the settings untouched. */
int settings_set(struct settings *settings, enum setting setting, const char *value,
		 struct problem *problem);

/*
 * Reads a file over the settings. 0, or a negative errno with *problem said ("FILE:LINE: ..." where
 * a line is to blame) and the settings untouched. Blocks in reading the file.
 */
int settings_read_file(struct settings *settings, const char *path, struct problem *problem);

#endif
