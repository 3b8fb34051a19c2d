/* SPDX-License-Identifier: MIT */
/*
 * The command line. What it sets goes over what the file sets, at the start and whenever the file
 * is read again.
 */
#ifndef LINGERD_OPTIONS_H
#define LINGERD_OPTIONS_H

#include <stdbool.h>

#include "lingerd/settings.h"

struct options {
	const char *config_path; /* NULL: none */
	bool check_config;
	bool take_over;
	bool background;
	bool help;
	bool version;
	const char *values[SETTING_COUNT]; /* NULL: not given; all point into argv */
};

extern const char options_usage[];

/* 0, or -EINVAL with *problem said and *ret untouched. argv must outlive *ret. */
int options_parse(struct options *ret, int argc, char *argv[], struct problem *problem);

/*
 * Defaults, then the file, then the command line. 0, or a negative errno with *problem said and
 * *ret untouched.
 */
int options_settings(const struct options *options, struct settings *ret, struct problem *problem);

#endif
