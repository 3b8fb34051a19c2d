/* SPDX-License-Identifier: MIT */
#include "lingerbench/join.h"

#include <errno.h>
#include <stdlib.h>

static int compare_server_rows(const void *left, const void *right)
{
	const struct server_row *a = *(const struct server_row *const *)left;
	const struct server_row *b = *(const struct server_row *const *)right;

	if (a->client_port != b->client_port)
		return a->client_port < b->client_port ? -1 : 1;
	return a->accepted_ns < b->accepted_ns ? -1 : a->accepted_ns > b->accepted_ns;
}

static int compare_client_rows(const void *left, const void *right)
{
	const struct joined_row *a = *(const struct joined_row *const *)left;
	const struct joined_row *b = *(const struct joined_row *const *)right;

	if (a->client->port != b->client->port)
		return a->client->port < b->client->port ? -1 : 1;
	return a->client->started_ns < b->client->started_ns
		       ? -1
		       : a->client->started_ns > b->client->started_ns;
}

/*
 * Both in the order of ports, and of times where a port was used again: the worker accepted a
 * connection after the client began it, and before it began the next one from the same port.
 */
static void join_servers(struct joined_row **rows, size_t count, const struct server_row **servers,
			 size_t server_count)
{
	size_t s = 0;

	for (size_t i = 0; i < count; i++) {
		const struct client_row *client = rows[i]->client;
		bool again = i + 1 < count && rows[i + 1]->client->port == client->port;
		uint64_t until = again ? rows[i + 1]->client->started_ns : UINT64_MAX;

		while (s < server_count && (servers[s]->client_port < client->port ||
					    (servers[s]->client_port == client->port &&
					     servers[s]->accepted_ns < client->started_ns)))
			s++;
		if (client->port && s < server_count && servers[s]->client_port == client->port &&
		    servers[s]->accepted_ns < until)
			rows[i]->server = servers[s++];
	}
}

/* The connection was made while the client had it. */
static const struct close_record *find_trace(const struct tracelog *log,
					     const struct client_row *client)
{
	const struct close_record *record =
		tracelog_find_port(log, client->port, client->started_ns);

	return record && client->ended_ns && record->established_ns > client->ended_ns ? NULL
										       : record;
}

static void join_traces(struct joined_row *rows, size_t count, const struct tracelog *log,
			bool by_port)
{
	for (size_t i = 0; i < count; i++) {
		if (rows[i].server)
			rows[i].trace = tracelog_find(log, rows[i].server->cookie);
		else if (by_port && rows[i].client->port)
			rows[i].trace = find_trace(log, rows[i].client);
	}
}

int join_rows(const struct trial_rows *rows, size_t count, const struct tracelog *log, bool by_port,
	      struct joined_row *ret)
{
	size_t server_count = trial_rows_server_count(rows);
	const struct server_row **servers = calloc(server_count + 1, sizeof(*servers));
	struct joined_row **clients = calloc(count + 1, sizeof(*clients));
	int error = servers && clients ? 0 : -ENOMEM;

	for (size_t i = 0; i < server_count && !error; i++)
		servers[i] = &rows->server[i];
	for (size_t i = 0; i < count && !error; i++) {
		ret[i] = (struct joined_row){ .client = &rows->client[i] };
		clients[i] = &ret[i];
	}
	if (!error) {
		qsort(servers, server_count, sizeof(*servers), compare_server_rows);
		qsort(clients, count, sizeof(*clients), compare_client_rows);
		join_servers(clients, count, servers, server_count);
		join_traces(ret, count, log, by_port);
	}
	free(servers);
	free(clients);
	return error;
}
