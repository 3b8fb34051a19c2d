/* SPDX-License-Identifier: MIT */
/* What the Apaches have in common. They differ in the MPM and in a few lines of configuration. */
#ifndef LINGERBENCH_SERVERS_APACHE_H
#define LINGERBENCH_SERVERS_APACHE_H

#include "lingerbench/program.h"

#define APACHE_PROGRAM "/usr/sbin/apache2"
#define APACHE_MODULES "/usr/lib/apache2/modules"
#define APACHE_PLUGIN  "mod_lingerd.so"

/* Where a worker lingers, and where the MPM's listener does. */
extern const struct strategy *const apache_blocking_strategies[];
extern const struct strategy *const apache_event_strategies[];

/*
 * Writes httpd.conf: static pages, uploads to /refused-N refused with 413 and page N. mpm is its name; more
 * is configuration of its own. 0 or a negative errno.
 */
int apache_configure(const struct program_setup *setup, const char *mpm, const char *more);

int apache_execute(const struct program_setup *setup);

#endif
