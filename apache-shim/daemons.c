/* SPDX-License-Identifier: MIT */
/*
 * The daemons that are configured, one for each socket path. It is the server that loses its
 * daemon, not each of its children: what is known of a daemon is in memory that all of them share,
 * and lives as long as the server, through restarts that unload this module.
 */
#include "apache-shim/mod_lingerd.h"

#include <ap_mpm.h>
#include <apr_shm.h>
#include <apr_strings.h>
#include <stdatomic.h>

/* A daemon that comes and goes costs two lines in this time, whatever the number of connections. */
#define SILENCE apr_time_from_sec(60)

/* While the breaker is open, one child tries once in this time. */
#define BREAKER_PAUSE apr_time_from_msec(100)

/* Different paths in the life of a server. */
enum { MOST_DAEMONS = 64 };

/* Of struct shared, to be raised when it changes: after an upgrade by a graceful restart, both are at work. */
enum { LAYOUT = 2 };

enum health { HANDING_OVER, AWAY_UNSAID, AWAY_SAID };

/* All zeroes: not in use. */
struct shared {
	char path[SOCKET_PATH_MAX + 1];
	_Atomic int health;
	_Atomic apr_time_t last_said;
	_Atomic apr_time_t retry_at; /* 0: the breaker is closed */
	_Atomic apr_uint64_t handoffs;
	_Atomic apr_uint64_t fallbacks[FALLBACK_COUNT];
};

struct daemon {
	const char *path;
	struct shared *shared;
	struct linger_client *client; /* NULL but in a child process */
};

/* What stays when the module is loaded anew, perhaps as another version of itself. */
struct retained {
	int layout;
	struct shared *entries;
};

static const char retained_key[] = "mod_lingerd";

/* struct daemon *; remade with the configuration. */
static apr_array_header_t *daemons;

static struct shared *shared_entries(server_rec *server)
{
	struct retained *retained = ap_retained_data_get(retained_key);
	apr_status_t status;
	apr_shm_t *memory;

	if (retained && retained->layout == LAYOUT)
		return retained->entries;
	status = apr_shm_create(&memory, MOST_DAEMONS * sizeof(struct shared), NULL,
				server->process->pool);
	if (status != APR_SUCCESS) {
		ap_log_error(APLOG_MARK, APLOG_ERR, status, server,
			     "no shared memory for mod_lingerd: lingering natively");
		return NULL;
	}
	if (!retained)
		retained = ap_retained_data_create(retained_key, sizeof(*retained));
	retained->layout = LAYOUT;
	retained->entries = apr_shm_baseaddr_get(memory);
	memset(retained->entries, 0, MOST_DAEMONS * sizeof(struct shared));
	return retained->entries;
}

static struct shared *shared_at(struct shared *entries, const char *path)
{
	for (int i = 0; i < MOST_DAEMONS; i++) {
		if (!entries[i].path[0])
			apr_cpystrn(entries[i].path, path, sizeof(entries[i].path));
		if (!strcmp(entries[i].path, path))
			return &entries[i];
	}
	return NULL;
}

static struct daemon *daemon_at(apr_pool_t *pool, struct shared *entries, const char *path)
{
	struct daemon *daemon;
	struct shared *shared;

	for (int i = 0; i < daemons->nelts; i++) {
		daemon = APR_ARRAY_IDX(daemons, i, struct daemon *);
		if (!strcmp(daemon->path, path))
			return daemon;
	}
	shared = shared_at(entries, path);
	if (!shared)
		return NULL;
	daemon = apr_pcalloc(pool, sizeof(*daemon));
	daemon->path = path;
	daemon->shared = shared;
	APR_ARRAY_PUSH(daemons, struct daemon *) = daemon;
	return daemon;
}

void daemons_configure(apr_pool_t *pool, server_rec *main_server)
{
	struct shared *entries;

	daemons = apr_array_make(pool, 1, sizeof(struct daemon *));
	for (server_rec *server = main_server; server; server = server->next) {
		struct server_config *config = server_config_of(server);
		const char *socket =
			config->socket_path ? config->socket_path : LINGER_DEFAULT_SOCKET;

		if (config->enabled != 1)
			continue;
		entries = shared_entries(server);
		if (!entries)
			return;
		config->daemon = daemon_at(pool, entries, socket);
		if (!config->daemon)
			ap_log_error(APLOG_MARK, APLOG_ERR, 0, server,
				     "more than %d different LingerdSocket since the start: "
				     "lingering natively; restart to use %s",
				     MOST_DAEMONS, socket);
	}
}

/*
 * After the fork, so that each child has a connection of its own; it is made at the first handoff.
 * The clients live as long as the process, since threads may use them to its very end.
 */
void daemons_open(server_rec *server)
{
	struct linger_client_options options = LINGER_CLIENT_OPTIONS_INIT;
	int threads;

	/* Its threads share a queue to the daemon: it is as long as children with one each would have. */
	if (ap_mpm_query(AP_MPMQ_MAX_THREADS, &threads) == APR_SUCCESS && threads > 0)
		options.threads = (unsigned int)threads;
	for (int i = 0; i < daemons->nelts; i++) {
		struct daemon *daemon = APR_ARRAY_IDX(daemons, i, struct daemon *);
		int error = linger_client_open_with(&daemon->client, daemon->path, &options);

		if (error)
			ap_log_error(APLOG_MARK, APLOG_ERR, -error, server,
				     "no client for lingerd at %s: lingering natively",
				     daemon->path);
	}
}

static int breaker_is_open(const struct shared *shared, apr_time_t now)
{
	apr_time_t retry_at = atomic_load(&shared->retry_at);

	/* The clock may have been set back. */
	return retry_at > now && retry_at - now <= BREAKER_PAUSE;
}

/* After the pause, the one that moves retry_at on tries. */
static int breaker_lets_through(struct shared *shared, apr_time_t now)
{
	apr_time_t retry_at = atomic_load(&shared->retry_at);

	if (!retry_at)
		return 1;
	if (breaker_is_open(shared, now))
		return 0;
	return atomic_compare_exchange_strong(&shared->retry_at, &retry_at, now + BREAKER_PAUSE);
}

static enum fallback cause_of(int error)
{
	switch (error) {
	case -ENOENT:
	case -ENOTDIR:
	case -ECONNREFUSED:
	case -ECONNRESET:
	case -EPIPE:
		return FALLBACK_NO_DAEMON;
	case -EACCES:
	case -EPERM:
		return FALLBACK_NOT_ALLOWED;
	case -EAGAIN:
		return FALLBACK_BUSY;
	case -ETOOMANYREFS:
	case -EMFILE:
	case -ENFILE:
	case -ENOBUFS:
	case -ENOMEM:
		return FALLBACK_DESCRIPTORS;
	case -ENOTCONN:
		return FALLBACK_CLIENT_GONE;
	default:
		return FALLBACK_OTHER;
	}
}

/* The child that moves last_said on is the one that speaks. */
static void note_away(struct daemon *daemon, apr_time_t now, int error, const server_rec *server)
{
	struct shared *shared = daemon->shared;
	apr_time_t last_said = atomic_load(&shared->last_said);
	int expected = HANDING_OVER;

	atomic_compare_exchange_strong(&shared->health, &expected, AWAY_UNSAID);
	if (expected == AWAY_SAID || (last_said <= now && now - last_said < SILENCE))
		return;
	if (!atomic_compare_exchange_strong(&shared->last_said, &last_said, now))
		return;
	atomic_store(&shared->health, AWAY_SAID);
	ap_log_error(APLOG_MARK, APLOG_WARNING, -error, server,
		     "no handoff to lingerd at %s: lingering natively", daemon->path);
}

static void note_handoff(struct daemon *daemon, const server_rec *server)
{
	struct shared *shared = daemon->shared;

	atomic_fetch_add(&shared->handoffs, 1);
	if (atomic_load(&shared->retry_at))
		atomic_store(&shared->retry_at, 0);
	if (atomic_load(&shared->health) == HANDING_OVER)
		return;
	if (atomic_exchange(&shared->health, HANDING_OVER) == AWAY_SAID)
		ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, server,
			     "lingerd at %s is back: handing off", daemon->path);
}

/*
 * A client that has gone says nothing of the daemon. A daemon that is busy is there, and has room
 * for the next one perhaps: the breaker is for those that are away.
 */
static int says_away(enum fallback cause)
{
	return cause != FALLBACK_CLIENT_GONE && cause != FALLBACK_BUSY &&
	       cause != FALLBACK_DESCRIPTORS;
}

static void note_failure(struct daemon *daemon, apr_time_t now, int error, const server_rec *server)
{
	enum fallback cause = cause_of(error);

	atomic_fetch_add(&daemon->shared->fallbacks[cause], 1);
	if (says_away(cause))
		atomic_store(&daemon->shared->retry_at, now + BREAKER_PAUSE);
	else if (atomic_load(&daemon->shared->retry_at))
		atomic_store(&daemon->shared->retry_at, now); /* that try has told nothing */
	if (cause != FALLBACK_CLIENT_GONE)
		note_away(daemon, now, error, server);
}

int daemon_hand_off(struct daemon *daemon, int fd, const struct linger_options *options,
		    const server_rec *server)
{
	apr_time_t now = apr_time_now();
	int error;

	if (!daemon->client)
		return 0;
	if (!breaker_lets_through(daemon->shared, now)) {
		atomic_fetch_add(&daemon->shared->fallbacks[FALLBACK_BREAKER], 1);
		return 0;
	}
	error = linger_handoff_with(daemon->client, fd, options);
	if (error)
		note_failure(daemon, now, error, server);
	else
		note_handoff(daemon, server);
	return !error;
}

int daemons_count(void)
{
	return daemons->nelts;
}

void daemons_status(int index, struct daemon_status *ret)
{
	const struct daemon *daemon = APR_ARRAY_IDX(daemons, index, struct daemon *);
	const struct shared *shared = daemon->shared;

	ret->path = daemon->path;
	ret->away = atomic_load(&shared->health) != HANDING_OVER;
	ret->breaker_open = breaker_is_open(shared, apr_time_now());
	ret->handoffs = atomic_load(&shared->handoffs);
	for (int i = 0; i < FALLBACK_COUNT; i++)
		ret->fallbacks[i] = atomic_load(&shared->fallbacks[i]);
}
