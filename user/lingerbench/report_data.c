/* SPDX-License-Identifier: MIT */
#include "lingerbench/report_data.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "lingerbench/runfolder.h"

bool report_arm_is(const struct report_arm *arm, const char *server, const char *strategy)
{
	return !strcmp(arm->strategy, strategy) && !strcmp(arm->server, server);
}

/* The count of them where there is no such arm; likewise below. */
static size_t find_arm(const struct report_data *data, const char *server, const char *strategy)
{
	size_t i = 0;

	while (i < data->arm_count && !report_arm_is(&data->arms[i], server, strategy))
		i++;
	return i;
}

static size_t find_peer(const struct report_data *data, const char *peer)
{
	size_t i = 0;

	while (i < data->peer_count && strcmp(data->peers[i], peer) != 0)
		i++;
	return i;
}

static int lay_out(struct report_data *data)
{
	const struct csvtable *summary = &data->summary;

	data->arms = calloc(summary->row_count + 1, sizeof(*data->arms));
	data->peers = calloc(summary->row_count + 1, sizeof(*data->peers));
	if (!data->arms || !data->peers) {
		log_error("cannot make a report: %s", strerror(ENOMEM));
		return -ENOMEM;
	}
	for (size_t row = 0; row < summary->row_count; row++) {
		const char *server = csvtable_text(summary, row, "server");
		const char *strategy = csvtable_text(summary, row, "strategy");
		const char *peer = csvtable_text(summary, row, "peer");

		if (find_arm(data, server, strategy) == data->arm_count)
			data->arms[data->arm_count++] = (struct report_arm){ server, strategy };
		if (find_peer(data, peer) == data->peer_count)
			data->peers[data->peer_count++] = peer;
		data->many_servers |= strcmp(server, data->arms[0].server) != 0;
	}
	return 0;
}

int report_data_read(struct report_data *ret, const char *folder)
{
	int error;

	*ret = (struct report_data){ 0 };
	error = runfolder_run(&ret->run, folder);
	if (!error)
		error = runfolder_table(&ret->summary, folder, "summary.csv");
	if (!error)
		error = runfolder_table(&ret->blocks, folder, "blocks.csv");
	if (!error)
		error = runfolder_table(&ret->connections, folder, "connections.csv");
	if (!error)
		error = lay_out(ret);
	if (error)
		report_data_free(ret);
	return error;
}

void report_data_free(struct report_data *data)
{
	json_decref(data->run);
	csvtable_free(&data->summary);
	csvtable_free(&data->blocks);
	csvtable_free(&data->connections);
	free(data->arms);
	free(data->peers);
	*data = (struct report_data){ 0 };
}

bool report_data_row(const struct report_data *data, size_t arm, size_t peer, size_t *ret)
{
	const struct csvtable *summary = &data->summary;

	for (size_t row = 0; row < summary->row_count; row++) {
		if (strcmp(csvtable_text(summary, row, "peer"), data->peers[peer]) != 0 ||
		    !report_arm_is(&data->arms[arm], csvtable_text(summary, row, "server"),
				   csvtable_text(summary, row, "strategy")))
			continue;
		*ret = row;
		return true;
	}
	return false;
}

struct report_name report_data_name(const struct report_data *data, size_t arm)
{
	const struct report_arm *named = &data->arms[arm];
	struct report_name name;

	snprintf(name.text, sizeof(name.text), "%s%s%s", data->many_servers ? named->server : "",
		 data->many_servers ? "/" : "", named->strategy);
	return name;
}

/* Where the rows of a table belong; those of a trial follow each other, so most are asked only whether they are like the last. */
struct place {
	const struct report_data *data;
	size_t server, strategy, peer; /* columns */
	size_t row;		       /* the last one */
	size_t at;		       /* the sample it belongs to */
	bool found;
};

static bool is_alike(const struct csvtable *table, size_t a, size_t b, size_t column)
{
	return !strcmp(csvtable_cell(table, a, column), csvtable_cell(table, b, column));
}

static bool find_place(struct place *place, size_t row)
{
	const struct report_data *data = place->data;
	const struct csvtable *table = &data->connections;
	size_t last = place->row, arm, peer;

	place->row = row;
	if (row && is_alike(table, last, row, place->strategy) &&
	    is_alike(table, last, row, place->peer) && is_alike(table, last, row, place->server))
		return place->found;
	arm = find_arm(data, csvtable_cell(table, row, place->server),
		       csvtable_cell(table, row, place->strategy));
	peer = find_peer(data, csvtable_cell(table, row, place->peer));
	place->found = arm < data->arm_count && peer < data->peer_count;
	place->at = arm * data->peer_count + peer;
	return place->found;
}

/* What tells in connections.csv whether a worker did its work for a client that was still there. */
struct served {
	size_t error, accepted, delay, connection; /* columns */
};

/* As the summary has it: to close a connection that the client has given up takes no time. */
static bool was_served(const struct csvtable *table, size_t row, const struct served *columns)
{
	double accepted, delay = 0, connection;

	if (*csvtable_cell(table, row, columns->error))
		return false;
	if (!csvtable_parse(csvtable_cell(table, row, columns->accepted), &accepted) ||
	    !csvtable_parse(csvtable_cell(table, row, columns->connection), &connection))
		return true;
	csvtable_parse(csvtable_cell(table, row, columns->delay), &delay);
	return connection > delay + accepted;
}

static int collect(const struct report_data *data, const char *column, struct sample *samples)
{
	const struct csvtable *table = &data->connections;
	size_t values = csvtable_column(table, column), phase = csvtable_column(table, "phase");
	const struct served served = { .error = csvtable_column(table, "server_error"),
				       .accepted = csvtable_column(table, "accepted_us"),
				       .delay = csvtable_column(table, "start_delay_us"),
				       .connection = csvtable_column(table, "connection_us") };
	bool of_worker = !strcmp(column, "worker_hold_us");
	struct place place = { .data = data,
			       .server = csvtable_column(table, "server"),
			       .strategy = csvtable_column(table, "strategy"),
			       .peer = csvtable_column(table, "peer") };

	for (size_t row = 0; row < table->row_count; row++) {
		double value;

		if (of_worker && !was_served(table, row, &served))
			continue;
		if (find_place(&place, row) &&
		    !strcmp(csvtable_cell(table, row, phase), "measured") &&
		    csvtable_parse(csvtable_cell(table, row, values), &value) &&
		    sample_add(&samples[place.at], value))
			return -ENOMEM;
	}
	return 0;
}

struct sample *report_data_samples(const struct report_data *data, const char *column)
{
	struct sample *samples = calloc(data->arm_count * data->peer_count + 1, sizeof(*samples));

	if (samples && collect(data, column, samples)) {
		report_data_free_samples(data, samples);
		return NULL;
	}
	return samples;
}

void report_data_free_samples(const struct report_data *data, struct sample *samples)
{
	for (size_t i = 0; samples && i < data->arm_count * data->peer_count; i++)
		sample_free(&samples[i]);
	free(samples);
}
