/* SPDX-License-Identifier: MIT */
#include "lingerbench/summary.h"

#include <string.h>

/*
 * Whether a worker did its work for a client that was still there. The others would flatter a strategy: to
 * close a connection that the client has given up long ago takes no time.
 */
static bool was_served(const struct joined_row *row)
{
	const struct server_row *server = row->server;

	return server && server->released_ns && !server->error &&
	       (!row->client->ended_ns || row->client->ended_ns > server->accepted_ns);
}

static bool is_real_server(const struct summary *summary)
{
	return summary->arm && !program_is_builtin(summary->arm->program);
}

static int add_connection(struct summary *summary, const struct joined_row *row)
{
	const struct client_row *client = row->client;
	const struct server_row *server = row->server;
	int error = 0;

	summary->connections++;
	summary->outcomes[client->outcome]++;
	if (client->last_byte_ns)
		error = sample_add(&summary->response_us,
				   (double)(client->last_byte_ns - client->due_ns) / 1e3);
	summary->unserved += !was_served(row);
	if (!error && was_served(row))
		error = sample_add(&summary->worker_hold_us,
				   (double)(server->released_ns - server->responded_ns) / 1e3);
	if (server && server->released_ns && server->handoff_error)
		summary->fallbacks++;
	if (!row->trace) {
		/* Nobody else tells whether a real server accepted it. */
		summary->fin_wait_2_unseen += server || (is_real_server(summary) && client->port);
		return error;
	}
	summary->traced++;
	if (row->trace->end == CLOSE_END_UNKNOWN || row->trace->end == CLOSE_END_OPEN ||
	    (row->trace->flags & CLOSE_FIN_WAIT_2 &&
	     row->trace->fin_wait_2_ns == CLOSE_TRACE_UNKNOWN))
		summary->fin_wait_2_unseen++;
	if (!error && row->trace->fin_wait_2_ns != CLOSE_TRACE_UNKNOWN)
		error = sample_add(&summary->fin_wait_2_us,
				   (double)row->trace->fin_wait_2_ns / 1e3);
	return error;
}

static bool is_complete(const struct client_row *client)
{
	return client->outcome == OUTCOME_COMPLETE_FIN || client->outcome == OUTCOME_COMPLETE_RESET;
}

static uint64_t over_ns(const struct client_row *client)
{
	return client->eof_ns ? client->eof_ns : client->ended_ns;
}

bool summary_throughput(const struct joined_row *rows, size_t count, double *ret_per_s)
{
	uint64_t first = UINT64_MAX, last = 0, complete = 0;

	for (size_t i = 0; i < count; i++) {
		const struct client_row *client = rows[i].client;

		if (client->phase != PHASE_MEASURED)
			continue;
		if (client->started_ns && client->started_ns < first)
			first = client->started_ns;
		if (over_ns(client) > last)
			last = over_ns(client);
	}
	if (last <= first)
		return false;
	/* What the server did in that time it also did for clients of the warm-up that had waited until then. */
	for (size_t i = 0; i < count; i++)
		complete += is_complete(rows[i].client) && over_ns(rows[i].client) > first;
	*ret_per_s = (double)complete / ((double)(last - first) / 1e9);
	return true;
}

static int add_throughput(struct summary *summary, const struct joined_row *rows, size_t count,
			  double baseline_per_s)
{
	double per_s;
	int error;

	if (!summary_throughput(rows, count, &per_s))
		return 0;
	error = sample_add(&summary->throughput_per_s, per_s);
	if (!error && baseline_per_s > 0)
		error = sample_add(&summary->throughput_ratio, per_s / baseline_per_s);
	return error;
}

/* A real server tells no more than how many connections lingerd got; which ones, the trace says. */
static void add_handoffs(struct summary *summary, const struct trial *trial, size_t count,
			 size_t measured)
{
	if (!is_real_server(summary) || !summary->arm->strategy.needs_lingerd)
		return;
	/* Nor how many of them were of a warm-up. */
	summary->fallbacks_unknown |= !trial->handoffs_known || measured < count;
	if (trial->handoffs_known && trial->handoffs < count)
		summary->fallbacks += count - trial->handoffs;
}

/* What was asked for and what was begun, from the end of the warm-up until the last arrival. */
static int add_arrivals(struct summary *summary, const struct trial *trial, size_t begun)
{
	double seconds = (double)trial->measured_for_ns / 1e9;
	int error;

	if (!trial->measured_for_ns)
		return 0;
	summary->is_open = true;
	summary->dropped += trial->rows->dropped;
	error = sample_add(&summary->offered_per_s,
			   (double)(begun + trial->rows->dropped) / seconds);
	return error ? error : sample_add(&summary->achieved_per_s, (double)begun / seconds);
}

int summary_add(struct summary *summary, const struct trial *trial, const struct joined_row *rows,
		size_t count, double baseline_per_s)
{
	size_t measured = 0;
	int error = 0;

	summary->cpu_us += trial->cpu_us;
	summary->cpu_unknown |= !trial->cpu_known;
	summary->cpu_connections += trial->cpu_connections;
	for (size_t i = 0; i < count && !error; i++) {
		if (rows[i].client->phase != PHASE_MEASURED)
			continue;
		error = add_connection(summary, &rows[i]);
		measured++;
	}
	add_handoffs(summary, trial, count, measured);
	if (!error)
		error = add_arrivals(summary, trial, measured);
	return error ? error : add_throughput(summary, rows, count, baseline_per_s);
}

static const char *const columns[] = {
	"server",
	"strategy",
	"peer",
	SUMMARY_FIGURES,
	"throughput_per_s",
	"throughput_ratio",
	"throughput_ratio_low",
	"throughput_ratio_high",
	"cpu_us_per_connection",
	"offered_per_s",
	"achieved_per_s",
	"dropped",
};

bool summary_has_column(const char *name)
{
	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
		if (!strcmp(columns[i], name))
			return true;
	return false;
}

int summary_csv_head(struct csv *csv)
{
	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
		csv_text(csv, columns[i]);
	return csv_end_row(csv);
}

uint64_t summary_incomplete(const struct summary *summary)
{
	const uint64_t *outcomes = summary->outcomes;

	return outcomes[OUTCOME_TIMEOUT] + outcomes[OUTCOME_CORRUPT] + outcomes[OUTCOME_FAILED] +
	       outcomes[OUTCOME_UNFINISHED];
}

static void put_if(struct csv *csv, bool known, double value)
{
	if (known)
		csv_decimal(csv, value, 1);
	else
		csv_unknown(csv);
}

static void put_quantile(struct csv *csv, struct sample *sample, double q)
{
	double value = 0;
	bool known = sample_quantile(sample, q, &value);

	put_if(csv, known, value);
}

static void put_median(struct csv *csv, struct sample *of_blocks)
{
	double value = 0;
	bool known = sample_median(of_blocks, &value);

	put_if(csv, known, value);
}

static void put_ratio(struct csv *csv, struct sample *ratio)
{
	double median, low, high;

	if (sample_median(ratio, &median))
		csv_decimal(csv, median, 3);
	else
		csv_unknown(csv);
	if (sample_median_interval(ratio, &low, &high)) {
		csv_decimal(csv, low, 3);
		csv_decimal(csv, high, 3);
	} else {
		csv_unknown(csv);
		csv_unknown(csv);
	}
}

void summary_csv_figures(struct csv *csv, struct summary *summary)
{
	const uint64_t *outcomes = summary->outcomes;
	struct sample nothing = { 0 };

	csv_number(csv, summary->connections);
	csv_number(csv, outcomes[OUTCOME_COMPLETE_FIN] + outcomes[OUTCOME_COMPLETE_RESET]);
	csv_number(csv, outcomes[OUTCOME_TRUNCATED_FIN] + outcomes[OUTCOME_TRUNCATED_RESET]);
	csv_number(csv, outcomes[OUTCOME_TIMEOUT]);
	csv_number(csv, outcomes[OUTCOME_CORRUPT]);
	csv_number(csv, outcomes[OUTCOME_FAILED] + outcomes[OUTCOME_UNFINISHED]);
	if (program_is_builtin(summary->arm->program))
		csv_number(csv, summary->unserved);
	else
		csv_unknown(csv);
	if (summary->arm->strategy.needs_lingerd && !summary->fallbacks_unknown)
		csv_number(csv, summary->fallbacks);
	else
		csv_unknown(csv);
	if (summary->tracing)
		csv_number(csv, summary->traced);
	else
		csv_unknown(csv);
	put_quantile(csv, &summary->worker_hold_us, 0.5);
	put_quantile(csv, &summary->worker_hold_us, 0.99);
	put_quantile(csv, &summary->response_us, 0.5);
	put_quantile(csv, &summary->response_us, 0.99);
	put_quantile(csv, summary->fin_wait_2_unseen ? &nothing : &summary->fin_wait_2_us, 0.5);
	put_quantile(csv, summary->fin_wait_2_unseen ? &nothing : &summary->fin_wait_2_us, 0.99);
}

void summary_csv_cpu(struct csv *csv, const struct summary *summary)
{
	if (summary->cpu_unknown || !summary->cpu_connections)
		csv_unknown(csv);
	else
		csv_decimal(csv, (double)summary->cpu_us / (double)summary->cpu_connections, 1);
}

void summary_csv_arrivals(struct csv *csv, struct summary *summary)
{
	put_median(csv, &summary->offered_per_s);
	put_median(csv, &summary->achieved_per_s);
	if (summary->is_open)
		csv_number(csv, summary->dropped);
	else
		csv_unknown(csv);
}

int summary_csv_row(struct csv *csv, struct summary *summary)
{
	csv_text(csv, program_label(summary->arm->program));
	csv_text(csv, summary->arm->strategy.name);
	csv_text(csv, summary->peer->name);
	summary_csv_figures(csv, summary);
	put_median(csv, &summary->throughput_per_s);
	put_ratio(csv, &summary->throughput_ratio);
	summary_csv_cpu(csv, summary);
	summary_csv_arrivals(csv, summary);
	return csv_end_row(csv);
}

void summary_free(struct summary *summary)
{
	sample_free(&summary->worker_hold_us);
	sample_free(&summary->response_us);
	sample_free(&summary->fin_wait_2_us);
	sample_free(&summary->throughput_per_s);
	sample_free(&summary->throughput_ratio);
	sample_free(&summary->offered_per_s);
	sample_free(&summary->achieved_per_s);
}
