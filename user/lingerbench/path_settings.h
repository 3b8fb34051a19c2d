/* SPDX-License-Identifier: MIT */
/* [path] and [sysctl] of a scenario: the way between clients and server, see path.h. */
#ifndef LINGERBENCH_PATH_SETTINGS_H
#define LINGERBENCH_PATH_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/inifile.h"

enum path_kind { PATH_LOOPBACK, PATH_VETH };

enum { PATH_MAX_SYSCTLS = 16 };

struct path_settings {
	enum path_kind kind;
	/* Of each direction. */
	uint64_t delay_ns;
	uint64_t jitter_ns;
	double loss_percent;
	double reorder_percent; /* these overtake the others: they have no delay */
	struct path_sysctl {
		char name[64]; /* net. ... */
		char value[64];
		int line;	     /* of the scenario's file; 0: of the command line */
	} sysctls[PATH_MAX_SYSCTLS]; /* of all namespaces of the run */
	size_t sysctl_count;
};

/* One key of [path] or [sysctl]. False: it is wrong, and that has been said. */
bool path_settings_take(struct path_settings *settings, struct inifile_place place,
			const char *section, const char *key, const char *value);
/* Whether they fit together, as above. */
bool path_settings_check(const struct path_settings *settings, struct inifile_place place);

/* Whether they take netem; whether they take a network namespace of their own. */
bool path_settings_impair(const struct path_settings *settings);
bool path_settings_are_apart(const struct path_settings *settings);

/* For people: "veth, 20 ms +- 5 ms, 1 % lost each way". */
void path_settings_describe(const struct path_settings *settings, char *ret, size_t size);

#endif
