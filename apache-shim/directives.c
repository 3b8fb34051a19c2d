/* SPDX-License-Identifier: MIT */
/* What administrators set, and what is wrong with it. */
#include "apache-shim/mod_lingerd.h"

#include <ap_mpm.h>
#include <apr_strings.h>
#include <sys/stat.h>

#include "common/number.h"

static const double LONGEST_TIMEOUT_S = 3600;

struct server_config *server_config_of(const server_rec *server)
{
	return ap_get_module_config(server->module_config, &lingerd_module);
}

void *server_config_create(apr_pool_t *pool, server_rec *server)
{
	struct server_config *config = apr_pcalloc(pool, sizeof(*config));

	(void)server;
	config->enabled = -1;
	return config;
}

void *server_config_merge(apr_pool_t *pool, void *base_config, void *vhost_config)
{
	const struct server_config *base = base_config, *vhost = vhost_config;
	struct server_config *config = apr_pmemdup(pool, vhost, sizeof(*vhost));

	if (config->enabled < 0)
		config->enabled = base->enabled;
	if (!config->socket_path)
		config->socket_path = base->socket_path;
	if (!config->idle_timeout_ms)
		config->idle_timeout_ms = base->idle_timeout_ms;
	if (!config->total_timeout_ms)
		config->total_timeout_ms = base->total_timeout_ms;
	return config;
}

static const char *set_socket(cmd_parms *command, void *unused, const char *path)
{
	size_t length = strlen(path);
	struct stat there;

	(void)unused;
	if (path[0] != '/')
		return apr_psprintf(command->pool, "LingerdSocket: '%s' is no absolute path", path);
	if (length > SOCKET_PATH_MAX)
		return apr_psprintf(command->pool,
				    "LingerdSocket: the path has %" APR_SIZE_T_FMT
				    " bytes, a socket path %d at most",
				    length, SOCKET_PATH_MAX);
	/* Nothing there is fine: the daemon may start later. */
	if (!stat(path, &there) && !S_ISSOCK(there.st_mode))
		return apr_psprintf(command->pool, "LingerdSocket: %s is there and is no socket",
				    path);
	server_config_of(command->server)->socket_path = path;
	return NULL;
}

static const char *set_enabled(cmd_parms *command, void *unused, int on)
{
	(void)unused;
	server_config_of(command->server)->enabled = on;
	return NULL;
}

static const char *set_timeout(cmd_parms *command, void *unused, const char *seconds)
{
	struct server_config *config = server_config_of(command->server);
	size_t offset = (size_t)command->info;
	unsigned int ms;
	uint64_t ns;

	(void)unused;
	if (number_parse_seconds(seconds, LONGEST_TIMEOUT_S, &ns) || ns < 1000000)
		return apr_psprintf(command->pool,
				    "%s: '%s' is no time in seconds, from 0.001 to %.0f",
				    command->cmd->name, seconds, LONGEST_TIMEOUT_S);
	ms = (unsigned int)(ns / 1000000);
	memcpy((char *)config + offset, &ms, sizeof(ms));
	return NULL;
}

#define OFFSET(field) ((void *)APR_OFFSETOF(struct server_config, field))

const command_rec lingerd_directives[] = {
	AP_INIT_FLAG("Lingerd", set_enabled, NULL, RSRC_CONF,
		     "On: lingerd lingers this server's connections; Off (the default): Apache "
		     "does"),
	AP_INIT_TAKE1("LingerdSocket", set_socket, NULL, RSRC_CONF,
		      "where lingerd listens, an absolute path; " LINGER_DEFAULT_SOCKET
		      " if not set"),
	AP_INIT_TAKE1("LingerdIdleTimeout", set_timeout, OFFSET(idle_timeout_ms), RSRC_CONF,
		      "seconds that lingerd waits for a client that is silent; at most, and if not "
		      "set, as lingerd is configured"),
	AP_INIT_TAKE1("LingerdTotalTimeout", set_timeout, OFFSET(total_timeout_ms), RSRC_CONF,
		      "seconds that lingerd waits for a client in all; at most, and if not set, as "
		      "lingerd is configured"),
	{ NULL, { NULL }, NULL, 0, RAW_ARGS, NULL },
};

static int is_known(const char *mpm)
{
	return !strcmp(mpm, "prefork") || !strcmp(mpm, "worker") || !strcmp(mpm, "event");
}

/*
 * The handoff rests on how an MPM ends a connection: one that we have not tried may do something
 * else with a socket that is the daemon's by then.
 */
int lingerd_check_config(apr_pool_t *pool, apr_pool_t *log_pool, apr_pool_t *temporary,
			 server_rec *main_server)
{
	(void)pool;
	(void)log_pool;
	(void)temporary;
	for (server_rec *server = main_server; server; server = server->next) {
		if (server_config_of(server)->enabled != 1 || is_known(ap_show_mpm()))
			continue;
		ap_log_error(APLOG_MARK, APLOG_EMERG, 0, server,
			     "Lingerd On: mod_lingerd knows the MPMs prefork, worker and event, "
			     "not %s",
			     ap_show_mpm());
		return HTTP_INTERNAL_SERVER_ERROR;
	}
	return OK;
}
