/* SPDX-License-Identifier: MIT */
/*
 * The parts of mod_lingerd, one thing each:
 *
 *	mod_lingerd.c	which connections, and the moment when they are handed over
 *	directives.c	what administrators set, per virtual host
 *	daemons.c	the daemons that are configured: counters, breaker, log
 *	status.c	what mod_status shows of them
 *
 * Nothing in here blocks, but for writing a line into the error log.
 */
#ifndef MOD_LINGERD_H
#define MOD_LINGERD_H

#include <ap_mmn.h>

#if !AP_MODULE_MAGIC_AT_LEAST(20120211, 55)
#error "mod_lingerd needs Apache httpd 2.4.19 or later (the hook pre_close_connection)"
#endif

#include <httpd.h>
#include <http_config.h>
#include <http_log.h>

#include "liblinger/linger.h"

/* All that the server looks for in here; everything else is hidden. */
extern LINGER_PUBLIC module AP_MODULE_DECLARE_DATA lingerd_module;
APLOG_USE_MODULE(lingerd);

/* unix(7): sun_path without its final NUL */
enum { SOCKET_PATH_MAX = 107 };

struct daemon;

/* Of a virtual host, or of the server as a whole. */
struct server_config {
	int enabled;		      /* -1: not set here */
	const char *socket_path;      /* NULL: not set here */
	unsigned int idle_timeout_ms; /* 0: not set here */
	unsigned int total_timeout_ms;
	struct daemon *daemon; /* after the configuration was read; NULL: Apache lingers */
};

struct server_config *server_config_of(const server_rec *server);
void *server_config_create(apr_pool_t *pool, server_rec *server);
void *server_config_merge(apr_pool_t *pool, void *base_config, void *vhost_config);
extern const command_rec lingerd_directives[];
/* The hook: OK, or an error of the configuration that is said already. */
int lingerd_check_config(apr_pool_t *pool, apr_pool_t *log_pool, apr_pool_t *temporary,
			 server_rec *main_server);

/* Why a connection was lingered natively: name in ?auto, meaning. */
#define FALLBACKS(X)                                                                               \
	X(BREAKER, "Breaker", "not tried, because others had just failed")                         \
	X(NO_DAEMON, "NoDaemon", "no daemon there")                                                \
	X(NOT_ALLOWED, "NotAllowed", "not allowed to write to its socket")                         \
	X(BUSY, "Busy", "the daemon is full, or hangs")                                            \
	X(DESCRIPTORS, "Descriptors", "no descriptor or memory left for it")                       \
	X(CLIENT_GONE, "ClientGone", "the client had gone: nothing to linger")                     \
	X(OTHER, "Other", "another error")

enum fallback {
#define FALLBACK_ENUM(name, key, meaning) FALLBACK_##name,
	FALLBACKS(FALLBACK_ENUM)
#undef FALLBACK_ENUM
		FALLBACK_COUNT,
};

struct daemon_status {
	const char *path;
	int away; /* the last word about it was a failure, and no handoff has worked since */
	int breaker_open;
	apr_uint64_t handoffs;
	apr_uint64_t fallbacks[FALLBACK_COUNT];
};

/*
 * Once for each reading of the configuration: gives every server that hands over its daemon, and
 * each daemon its part of the memory that all children share. Counters go on where they were
 * before a restart. Failures are logged, and servers left without a daemon then.
 */
void daemons_configure(apr_pool_t *pool, server_rec *main_server);
/* In a child, before it serves. */
void daemons_open(server_rec *server);
int daemons_count(void);
void daemons_status(int index, struct daemon_status *ret);

/*
 * Hands fd over, if the breaker lets it through; counts, and says in the log when handoffs begin
 * to fail and to work again. Whether the daemon has the connection. fd stays the caller's to close.
 */
int daemon_hand_off(struct daemon *daemon, int fd, const struct linger_options *options,
		    const server_rec *server);

/* The hook of mod_status. */
int lingerd_status(request_rec *r, int flags);

#endif
