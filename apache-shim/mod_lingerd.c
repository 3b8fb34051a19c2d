/* SPDX-License-Identifier: MIT */
/*
 * mod_lingerd: Apache hands the connections that it is to linger to lingerd.
 *
 * ap_lingering_close() runs the hook pre_close_connection, flushes the connection with an EOC
 * bucket behind everything, then lingers, or closes at once if c->aborted. So the hook only notes
 * that the end is near, and a filter below mod_ssl's waits for that EOC: when it has passed, the
 * response, the log line and TLS's close_notify are out. There the socket is handed off. Where that
 * fails, nothing has happened, and Apache lingers as if this module were not there.
 */
#include <stdatomic.h>

#include <httpd.h>
#include <ap_mmn.h>
#include <http_config.h>
#include <http_connection.h>
#include <http_core.h>
#include <http_log.h>
#include <apr_portable.h>
#include <apr_shm.h>
#include <apr_strings.h>
#include <util_filter.h>

#include "liblinger/linger.h"

#if !AP_MODULE_MAGIC_AT_LEAST(20120211, 55)
#error "mod_lingerd needs Apache httpd 2.4.19 or later (the hook pre_close_connection)"
#endif

/* sun_path without its final NUL: unix(7) */
enum { SOCKET_PATH_MAX = 107 };

/* A daemon that comes and goes costs two lines in this time, whatever the number of connections. */
#define SILENCE apr_time_from_sec(60)

enum health { HANDING_OVER, AWAY_UNSAID, AWAY_SAID };

/* In memory that all children share: it is the server that loses its daemon, not each of them. */
struct shared_health {
	_Atomic int health;
	_Atomic apr_time_t last_said;
};

/* One for each socket path that is configured. */
struct lingerd {
	const char *path;
	struct shared_health *shared;
	struct linger_client *client; /* NULL but in a child process */
};

struct server_config {
	const char *socket_path; /* NULL: not set here */
	int enabled;		 /* -1: not set here */
	struct lingerd *lingerd; /* NULL: this server keeps its connections */
};

struct connection {
	conn_rec *c;
	apr_socket_t *socket;
	struct lingerd *lingerd;
	int closing;
};

/* All that the server looks for in here; everything else is hidden. */
extern LINGER_PUBLIC module AP_MODULE_DECLARE_DATA lingerd_module;
APLOG_USE_MODULE(lingerd);

/* struct lingerd *, one for each path; remade with the configuration. */
static apr_array_header_t *lingerds;

static struct server_config *config_of(server_rec *server)
{
	return ap_get_module_config(server->module_config, &lingerd_module);
}

/* ENOTCONN: the client has reset the connection, which says nothing of the daemon. */
static int is_daemons_fault(int error)
{
	return error != -ENOTCONN;
}

/* The child that moves last_said on is the one that speaks. */
static void note_away(struct lingerd *lingerd, conn_rec *c, int error)
{
	struct shared_health *shared = lingerd->shared;
	apr_time_t now = apr_time_now(), last_said = atomic_load(&shared->last_said);
	int expected = HANDING_OVER;

	atomic_compare_exchange_strong(&shared->health, &expected, AWAY_UNSAID);
	if (expected == AWAY_SAID || now - last_said < SILENCE)
		return;
	if (!atomic_compare_exchange_strong(&shared->last_said, &last_said, now))
		return;
	atomic_store(&shared->health, AWAY_SAID);
	ap_log_error(APLOG_MARK, APLOG_WARNING, -error, c->base_server,
		     "no handoff to lingerd at %s: lingering natively", lingerd->path);
}

static void note_handoff(struct lingerd *lingerd, conn_rec *c)
{
	struct shared_health *shared = lingerd->shared;

	if (atomic_load(&shared->health) == HANDING_OVER)
		return;
	if (atomic_exchange(&shared->health, HANDING_OVER) == AWAY_SAID)
		ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, c->base_server,
			     "lingerd at %s is back: handing off", lingerd->path);
}

static void hand_off(struct connection *connection)
{
	conn_rec *c = connection->c;
	apr_os_sock_t fd;
	int error;

	/* Another module may have taken the socket away meanwhile. */
	if (ap_get_conn_socket(c) != connection->socket ||
	    apr_os_sock_get(&fd, connection->socket) != APR_SUCCESS)
		return;
	error = linger_handoff(connection->lingerd->client, fd);
	if (!error) {
		c->aborted = 1; /* close it, without shutdown() and without lingering */
		note_handoff(connection->lingerd, c);
	} else if (is_daemons_fault(error)) {
		note_away(connection->lingerd, c, error);
	}
}

static int carries_eoc(const apr_bucket_brigade *brigade)
{
	for (apr_bucket *b = APR_BRIGADE_FIRST(brigade); b != APR_BRIGADE_SENTINEL(brigade);
	     b = APR_BUCKET_NEXT(b))
		if (AP_BUCKET_IS_EOC(b))
			return 1;
	return 0;
}

/* An EOC without closing comes in the middle of a connection, before the log line is written. */
static apr_status_t output_filter(ap_filter_t *filter, apr_bucket_brigade *brigade)
{
	struct connection *connection = filter->ctx;
	int is_end = connection->closing && carries_eoc(brigade);
	apr_status_t status = ap_pass_brigade(filter->next, brigade);

	if (is_end && status == APR_SUCCESS && !connection->c->aborted)
		hand_off(connection);
	return status;
}

static int pre_close_connection(conn_rec *c)
{
	struct connection *connection = ap_get_module_config(c->conn_config, &lingerd_module);

	if (connection)
		connection->closing = 1;
	return OK;
}

static int pre_connection(conn_rec *c, void *socket)
{
	struct lingerd *lingerd = config_of(c->base_server)->lingerd;
	struct connection *connection;

	/* Streams of HTTP/2 have a master; connections to backends are outgoing, or have no
	 * scoreboard. */
	if (!lingerd || !lingerd->client || c->master || c->outgoing || !c->sbh)
		return OK;
	connection = apr_pcalloc(c->pool, sizeof(*connection));
	connection->c = c;
	connection->socket = socket;
	connection->lingerd = lingerd;
	ap_set_module_config(c->conn_config, &lingerd_module, connection);
	ap_add_output_filter("LINGERD", connection, NULL, c);
	return OK;
}

/*
 * After the fork, so that each child has a connection of its own; it is made at the first handoff.
 * The clients live as long as the process, since threads may use them to its very end.
 */
static void child_init(apr_pool_t *pool, server_rec *server)
{
	(void)pool;
	for (int i = 0; i < lingerds->nelts; i++) {
		struct lingerd *lingerd = APR_ARRAY_IDX(lingerds, i, struct lingerd *);
		int error = linger_client_open(&lingerd->client, lingerd->path);

		if (error)
			ap_log_error(APLOG_MARK, APLOG_ERR, -error, server,
				     "no client for lingerd at %s: lingering natively",
				     lingerd->path);
	}
}

static struct lingerd *lingerd_at(apr_pool_t *pool, const char *path)
{
	struct lingerd *lingerd;

	for (int i = 0; i < lingerds->nelts; i++) {
		lingerd = APR_ARRAY_IDX(lingerds, i, struct lingerd *);
		if (!strcmp(lingerd->path, path))
			return lingerd;
	}
	lingerd = apr_pcalloc(pool, sizeof(*lingerd));
	lingerd->path = path;
	APR_ARRAY_PUSH(lingerds, struct lingerd *) = lingerd;
	return lingerd;
}

static int post_config(apr_pool_t *pool, apr_pool_t *log_pool, apr_pool_t *temporary,
		       server_rec *main_server)
{
	struct shared_health *health;
	apr_status_t status;
	apr_shm_t *memory;

	(void)log_pool;
	(void)temporary;
	lingerds = apr_array_make(pool, 1, sizeof(struct lingerd *));
	for (server_rec *server = main_server; server; server = server->next) {
		struct server_config *config = config_of(server);

		if (config->enabled == 1)
			config->lingerd =
				lingerd_at(pool, config->socket_path ? config->socket_path
								     : LINGER_DEFAULT_SOCKET);
	}
	if (!lingerds->nelts)
		return OK;
	status = apr_shm_create(&memory, (apr_size_t)lingerds->nelts * sizeof(*health), NULL, pool);
	if (status != APR_SUCCESS) {
		ap_log_error(APLOG_MARK, APLOG_CRIT, status, main_server,
			     "no shared memory for mod_lingerd");
		return HTTP_INTERNAL_SERVER_ERROR;
	}
	health = apr_shm_baseaddr_get(memory);
	memset(health, 0, (size_t)lingerds->nelts * sizeof(*health));
	for (int i = 0; i < lingerds->nelts; i++)
		APR_ARRAY_IDX(lingerds, i, struct lingerd *)->shared = &health[i];
	return OK;
}

static void *create_server_config(apr_pool_t *pool, server_rec *server)
{
	struct server_config *config = apr_pcalloc(pool, sizeof(*config));

	(void)server;
	config->enabled = -1;
	return config;
}

static void *merge_server_config(apr_pool_t *pool, void *base_config, void *vhost_config)
{
	const struct server_config *base = base_config, *vhost = vhost_config;
	struct server_config *config = apr_pcalloc(pool, sizeof(*config));

	config->socket_path = vhost->socket_path ? vhost->socket_path : base->socket_path;
	config->enabled = vhost->enabled >= 0 ? vhost->enabled : base->enabled;
	return config;
}

static const char *set_socket(cmd_parms *command, void *unused, const char *path)
{
	size_t length = strlen(path);

	(void)unused;
	if (path[0] != '/')
		return apr_psprintf(command->pool, "LingerdSocket: '%s' is no absolute path", path);
	if (length > SOCKET_PATH_MAX)
		return apr_psprintf(command->pool,
				    "LingerdSocket: the path has %" APR_SIZE_T_FMT
				    " bytes, a socket path %d at most",
				    length, SOCKET_PATH_MAX);
	config_of(command->server)->socket_path = path;
	return NULL;
}

static const char *set_enabled(cmd_parms *command, void *unused, int on)
{
	(void)unused;
	config_of(command->server)->enabled = on;
	return NULL;
}

static const command_rec directives[] = {
	AP_INIT_TAKE1("LingerdSocket", set_socket, NULL, RSRC_CONF,
		      "where lingerd listens, an absolute path; " LINGER_DEFAULT_SOCKET
		      " if not set"),
	AP_INIT_FLAG("Lingerd", set_enabled, NULL, RSRC_CONF,
		     "On: lingerd lingers this server's connections; Off (the default): Apache "
		     "does"),
	{ NULL, { NULL }, NULL, 0, RAW_ARGS, NULL },
};

static void register_hooks(apr_pool_t *pool)
{
	(void)pool;
	ap_hook_post_config(post_config, NULL, NULL, APR_HOOK_MIDDLE);
	ap_hook_child_init(child_init, NULL, NULL, APR_HOOK_MIDDLE);
	ap_hook_pre_connection(pre_connection, NULL, NULL, APR_HOOK_MIDDLE);
	/* First: mod_http2's hook ends the chain with DONE. */
	ap_hook_pre_close_connection(pre_close_connection, NULL, NULL, APR_HOOK_REALLY_FIRST);
	ap_register_output_filter("LINGERD", output_filter, NULL, AP_FTYPE_NETWORK - 1);
}

module AP_MODULE_DECLARE_DATA lingerd_module = {
	STANDARD20_MODULE_STUFF,
	NULL, /* directories: what closes is a connection */
	NULL,
	create_server_config,
	merge_server_config,
	directives,
	register_hooks,
#if defined(AP_MODULE_FLAG_NONE)
	AP_MODULE_FLAG_NONE,
#endif
};
