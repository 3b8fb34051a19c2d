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
#include "apache-shim/mod_lingerd.h"

#include <http_connection.h>
#include <http_core.h>
#include <http_protocol.h>
#include <apr_optional_hooks.h>
#include <apr_portable.h>
#include <mod_status.h>
#include <stdatomic.h>
#include <util_filter.h>

/* As in server/connection.c of httpd: SECONDS_TO_LINGER of a connection with the note. */
#define SHORT_LINGER_NOTE "short-lingering-close"
enum { SHORT_LINGER_MS = 2000 };

struct connection {
	conn_rec *c;
	apr_socket_t *socket;
	/*
	 * Of the virtual host of the last request, or while there was none, of the first one of
	 * the address. Streams of HTTP/2 are served by other threads.
	 */
	const struct server_config *_Atomic config;
	int closing;
	int tried;
};

static struct linger_options options_of(const struct connection *connection,
					const struct server_config *config)
{
	struct linger_options options = LINGER_OPTIONS_INIT;

	options.idle_timeout_ms = config->idle_timeout_ms;
	options.total_timeout_ms = config->total_timeout_ms;
	if (apr_table_get(connection->c->notes, SHORT_LINGER_NOTE) &&
	    (!options.total_timeout_ms || options.total_timeout_ms > SHORT_LINGER_MS))
		options.total_timeout_ms = SHORT_LINGER_MS;
	return options;
}

static void hand_off(struct connection *connection)
{
	const struct server_config *config = atomic_load(&connection->config);
	conn_rec *c = connection->c;
	struct linger_options options;
	apr_os_sock_t fd;

	/* Another module may have taken the socket away meanwhile. */
	if (!config->daemon || ap_get_conn_socket(c) != connection->socket ||
	    apr_os_sock_get(&fd, connection->socket) != APR_SUCCESS)
		return;
	options = options_of(connection, config);
	if (daemon_hand_off(config->daemon, fd, &options, c->base_server))
		c->aborted = 1; /* close it, without shutdown() and without lingering */
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
	int is_end = connection->closing && !connection->tried && carries_eoc(brigade);
	apr_status_t status = ap_pass_brigade(filter->next, brigade);

	if (is_end && status == APR_SUCCESS && !connection->c->aborted) {
		connection->tried = 1;
		hand_off(connection);
	}
	return status;
}

static int pre_close_connection(conn_rec *c)
{
	struct connection *connection = ap_get_module_config(c->conn_config, &lingerd_module);

	if (connection)
		connection->closing = 1;
	return OK;
}

/* Of most modules, connections to backends have no place in the scoreboard; of mod_proxy_connect they do. */
static int is_outgoing(const conn_rec *c)
{
#if AP_MODULE_MAGIC_AT_LEAST(20120211, 116)
	if (c->outgoing)
		return 1;
#endif
	return !c->sbh;
}

static int pre_connection(conn_rec *c, void *socket)
{
	struct connection *connection;

	/* Streams of HTTP/2 (those with a master) never end as connections do. */
	if (!daemons_count() || c->master || is_outgoing(c))
		return OK;
	connection = apr_pcalloc(c->pool, sizeof(*connection));
	connection->c = c;
	connection->socket = socket;
	atomic_init(&connection->config, server_config_of(c->base_server));
	ap_set_module_config(c->conn_config, &lingerd_module, connection);
	ap_add_output_filter("LINGERD", connection, NULL, c);
	return OK;
}

static int post_read_request(request_rec *r)
{
	const conn_rec *c = r->connection->master ? r->connection->master : r->connection;
	struct connection *connection = ap_get_module_config(c->conn_config, &lingerd_module);

	if (connection)
		atomic_store(&connection->config, server_config_of(r->server));
	return DECLINED;
}

static void child_init(apr_pool_t *pool, server_rec *server)
{
	(void)pool;
	daemons_open(server);
}

static int post_config(apr_pool_t *pool, apr_pool_t *log_pool, apr_pool_t *temporary,
		       server_rec *main_server)
{
	(void)log_pool;
	(void)temporary;
	daemons_configure(pool, main_server);
	APR_OPTIONAL_HOOK(ap, status_hook, lingerd_status, NULL, NULL, APR_HOOK_MIDDLE);
	return OK;
}

static void register_hooks(apr_pool_t *pool)
{
	(void)pool;
	ap_hook_check_config(lingerd_check_config, NULL, NULL, APR_HOOK_MIDDLE);
	ap_hook_post_config(post_config, NULL, NULL, APR_HOOK_MIDDLE);
	ap_hook_child_init(child_init, NULL, NULL, APR_HOOK_MIDDLE);
	ap_hook_pre_connection(pre_connection, NULL, NULL, APR_HOOK_MIDDLE);
	ap_hook_post_read_request(post_read_request, NULL, NULL, APR_HOOK_FIRST);
	/* First: mod_http2's hook ends the chain with DONE. */
	ap_hook_pre_close_connection(pre_close_connection, NULL, NULL, APR_HOOK_REALLY_FIRST);
	ap_register_output_filter("LINGERD", output_filter, NULL, AP_FTYPE_NETWORK - 1);
}

module AP_MODULE_DECLARE_DATA lingerd_module = {
	STANDARD20_MODULE_STUFF,
	NULL, /* directories: what closes is a connection */
	NULL,
	server_config_create,
	server_config_merge,
	lingerd_directives,
	register_hooks,
#if defined(AP_MODULE_FLAG_NONE)
	AP_MODULE_FLAG_NONE,
#endif
};
