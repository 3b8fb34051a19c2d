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

static size_t first_with_port(const struct server_row **rows, size_t count, uint16_t port)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (rows[middle]->client_port < port)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The worker accepted it after the client began, and before any later connection from the same
 * port. */
static const struct server_row *find_server_row(const struct server_row **rows, size_t count,
						const struct client_row *client)
{
	for (size_t i = first_with_port(rows, count, client->port);
	     i < count && rows[i]->client_port == client->port; i++)
		if (rows[i]->accepted_ns >= client->started_ns)
			return rows[i];
	return NULL;
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

int join_rows(const struct trial_rows *rows, size_t count, const struct tracelog *log, bool by_port,
	      struct joined_row *ret)
{
	size_t server_count = trial_rows_server_count(rows);
	const struct server_row **servers = calloc(server_count + 1, sizeof(*servers));

	if (!servers)
		return -ENOMEM;
	for (size_t i = 0; i < server_count; i++)
		servers[i] = &rows->server[i];
	qsort(servers, server_count, sizeof(*servers), compare_server_rows);
	for (size_t i = 0; i < count; i++) {
		ret[i] = (struct joined_row){ .client = &rows->client[i] };
		if (ret[i].client->port)
			ret[i].server = find_server_row(servers, server_count, ret[i].client);
		if (ret[i].server)
			ret[i].trace = tracelog_find(log, ret[i].server->cookie);
		else if (by_port && ret[i].client->port)
			ret[i].trace = find_trace(log, ret[i].client);
	}
	free(servers);
	return 0;
}
