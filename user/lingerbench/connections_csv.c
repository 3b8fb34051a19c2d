/* SPDX-License-Identifier: MIT */
#include "lingerbench/connections_csv.h"

#include <string.h>

#include "tracer/close_end.h"

static const char *const columns[] = {
	"server",	  "strategy",	   "peer",	     "block",	       "connection",
	"phase",	  "outcome",	   "promised_bytes", "received_bytes", "start_delay_us",
	"response_us",	  "eof_us",	   "connection_us",  "client_error",   "send_error",
	"client_port",	  "cookie",	   "worker",	     "accepted_us",    "worker_busy_us",
	"worker_hold_us", "server_error",  "handoff",	     "handoff_error",  "closer_pid",
	"closer_comm",	  "close_call_us", "fin_wait_1_us",  "fin_wait_2_us",  "unread_bytes",
	"unacked_bytes",  "end",
};

int connections_csv_head(struct csv *csv)
{
	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
		csv_text(csv, columns[i]);
	return csv_end_row(csv);
}

/* Microseconds from one moment to a later one; empty when either did not come. */
static void put_span(struct csv *csv, uint64_t from_ns, uint64_t to_ns)
{
	if (from_ns && to_ns >= from_ns)
		csv_decimal(csv, (double)(to_ns - from_ns) / 1e3, 1);
	else
		csv_unknown(csv);
}

static void put_error(struct csv *csv, int error)
{
	csv_text(csv, error ? strerrorname_np(-error) : NULL);
}

static void put_client(struct csv *csv, const struct client_row *row)
{
	csv_text(csv, outcome_name(row->outcome));
	if (row->promised_bytes)
		csv_number(csv, row->promised_bytes);
	else
		csv_unknown(csv);
	csv_number(csv, row->received_bytes);
	put_span(csv, row->due_ns == row->started_ns ? 0 : row->due_ns, row->started_ns);
	put_span(csv, row->due_ns, row->last_byte_ns);
	put_span(csv, row->due_ns, row->eof_ns);
	put_span(csv, row->due_ns, row->ended_ns);
	put_error(csv, row->error);
	put_error(csv, row->send_error);
	if (row->port)
		csv_number(csv, row->port);
	else
		csv_unknown(csv);
}

static void put_server(struct csv *csv, const struct joined_row *joined,
		       const struct strategy *strategy)
{
	const struct server_row *row = joined->server;

	if (!row) {
		if (joined->trace)
			csv_number(csv, joined->trace->cookie);
		else
			csv_unknown(csv);
		for (int i = 0; i < 7; i++)
			csv_unknown(csv);
		return;
	}
	csv_number(csv, row->cookie);
	csv_number(csv, (uint64_t)row->worker);
	put_span(csv, joined->client->started_ns, row->accepted_ns);
	put_span(csv, row->accepted_ns, row->released_ns);
	put_span(csv, row->responded_ns, row->released_ns);
	put_error(csv, row->error);
	if (strategy->needs_lingerd && row->released_ns)
		csv_text(csv, row->handoff_error ? "fallback" : "handed");
	else
		csv_unknown(csv);
	put_error(csv, row->handoff_error);
}

static void put_traced(struct csv *csv, uint64_t value, double scale)
{
	if (value == CLOSE_TRACE_UNKNOWN)
		csv_unknown(csv);
	else if (scale == 1)
		csv_number(csv, value);
	else
		csv_decimal(csv, (double)value / scale, 1);
}

static void put_trace(struct csv *csv, const struct close_record *record)
{
	if (!record) {
		for (int i = 0; i < 8; i++)
			csv_unknown(csv);
		return;
	}
	if (record->closer.pid)
		csv_number(csv, record->closer.pid);
	else
		csv_unknown(csv);
	csv_text(csv, record->closer.pid ? record->closer.comm : NULL);
	put_traced(csv, record->close_call_ns, 1e3);
	put_traced(csv, record->fin_wait_1_ns, 1e3);
	put_traced(csv, record->fin_wait_2_ns, 1e3);
	put_traced(csv, record->unread_bytes, 1);
	put_traced(csv, record->unacked_bytes, 1);
	csv_text(csv, close_end_name(record->end));
}

static const char *phase_name(const struct trial *trial, const struct client_row *row)
{
	if (trial->is_void)
		return "void";
	return row->phase == PHASE_WARM_UP ? "warm_up" : "measured";
}

int connections_csv_rows(struct csv *csv, const struct trial *trial, const struct joined_row *rows,
			 size_t count)
{
	int error = 0;

	for (size_t i = 0; i < count && !error; i++) {
		csv_text(csv, program_label(trial->arm->program));
		csv_text(csv, trial->arm->strategy.name);
		csv_text(csv, trial->peer->name);
		csv_number(csv, trial->block);
		csv_number(csv, i);
		csv_text(csv, phase_name(trial, rows[i].client));
		put_client(csv, rows[i].client);
		put_server(csv, &rows[i], &trial->arm->strategy);
		put_trace(csv, rows[i].trace);
		error = csv_end_row(csv);
	}
	return error;
}
