/* SPDX-License-Identifier: MIT */
/*
 * A server that the lab can put under test: its own pool of workers (server.h) or a real one, as Debian
 * packs it. One server is one file in servers/ and one line in servers/list.def. Its strategies are the
 * ways to close that it can be configured to.
 */
#ifndef LINGERBENCH_PROGRAM_H
#define LINGERBENCH_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lingerbench/strategy.h"

/* What one trial's server is to be. */
struct program_setup {
	const char *folder;  /* its own and its user's: configuration, pages, log */
	const char *address; /* to listen on, dotted */
	uint16_t port;
	uint64_t workers;
	const struct strategy *strategy;
	const char *lingerd_socket;
};

struct program {
	const char *name;     /* [server] program = NAME */
	const char *summary;  /* one line for people */
	const char *packages; /* Debian's, one space between them; NULL: the lab's own server */
	const char *const
		*files; /* that they bring and the server needs; the first one is the server */
	const struct strategy *const *strategies; /* ends with NULL */
	const char *plugin; /* of ours, copied into the folder for strategies that need lingerd */
	bool tls;
	bool threads; /* the workers are threads of one process */
	uint32_t
		overhead_ms; /* about how long its start and its end take in each trial, for estimates */

	/* Writes its configuration into setup->folder. 0 or a negative errno. */
	int (*configure)(const struct program_setup *setup);

	/* Becomes the server (exec), in the foreground. Returns only where that fails: a negative errno. */
	int (*execute)(const struct program_setup *setup);
};

#define PROGRAM(name) extern const struct program program_##name;
#include "lingerbench/servers/list.def"
#undef PROGRAM

/* All servers, ending with NULL; the first one is the lab's own. */
extern const struct program *const programs[];

/* By its name, or by what the column calls it; NULL: no server has that name. */
const struct program *program_find(const char *name);

/* Whether the lab's own workers are the server. */
bool program_is_builtin(const struct program *program);

/* What the column "server" calls it. */
const char *program_label(const struct program *program);

/* The server's strategy of that name; NULL: it has none. */
const struct strategy *program_find_strategy(const struct program *program, const char *name);

/* 0; or -ENOENT when something that it needs is not installed, which has been logged in a line. */
int program_check_installed(const struct program *program);

/* The log of a server in its folder: everything that it says. */
#define PROGRAM_LOG "server.log"

/* For configure(): a file of that name in the folder. 0 or a negative errno. */
__attribute__((format(printf, 3, 4))) int program_write(const struct program_setup *setup,
							const char *name, const char *format, ...);

#endif
