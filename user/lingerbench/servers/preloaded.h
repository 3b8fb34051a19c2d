/* SPDX-License-Identifier: MIT */
/* Python application servers that close plainly, with and without liblinger-preload.so. */
#ifndef LINGERBENCH_SERVERS_PRELOADED_H
#define LINGERBENCH_SERVERS_PRELOADED_H

#include "lingerbench/program.h"

#define PRELOADED_PLUGIN "liblinger-preload.so"

/* close, as the server is; lingerd, with the library. */
extern const struct strategy *const preloaded_strategies[];

/*
 * Writes app.py, a WSGI application that serves the pages and refuses uploads without reading them. 0 or a
 * negative errno.
 */
int preloaded_configure(const struct program_setup *setup);

/* In execute(): puts the library into the environment, where the strategy asks for it. */
void preloaded_set_environment(const struct program_setup *setup);

#endif
