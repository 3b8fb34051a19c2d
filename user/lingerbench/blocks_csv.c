/* SPDX-License-Identifier: MIT */
#include "lingerbench/blocks_csv.h"

static const char *const columns[] = { "server",
				       "strategy",
				       "peer",
				       "block",
				       "trial",
				       SUMMARY_FIGURES,
				       "throughput_per_s",
				       "cpu_us_per_connection",
				       "offered_per_s",
				       "achieved_per_s",
				       "dropped" };

int blocks_csv_head(struct csv *csv)
{
	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
		csv_text(csv, columns[i]);
	return csv_end_row(csv);
}

int blocks_csv_row(struct csv *csv, const struct trial *trial, size_t number,
		   struct summary *summary)
{
	double per_s;

	csv_text(csv, program_label(trial->arm->program));
	csv_text(csv, trial->arm->strategy.name);
	csv_text(csv, trial->peer->name);
	csv_number(csv, trial->block);
	csv_number(csv, number);
	summary_csv_figures(csv, summary);
	if (sample_quantile(&summary->throughput_per_s, 0.5, &per_s))
		csv_decimal(csv, per_s, 1);
	else
		csv_unknown(csv);
	summary_csv_cpu(csv, summary);
	summary_csv_arrivals(csv, summary);
	return csv_end_row(csv);
}
