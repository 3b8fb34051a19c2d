/* SPDX-License-Identifier: MIT */
#include "lingerbench/paired.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool is_of_server(const struct report_data *data, size_t arm, const char *server)
{
	return !strcmp(data->arms[arm].server, server);
}

/* Where the scenario's first one has no row, the first one that has. */
static size_t first_of(const struct report_data *data, const char *server)
{
	const json_t *names = json_object_get(json_object_get(data->run, "scenario"), "strategies");
	size_t first = 0;

	for (size_t i = 0; i < json_array_size(names); i++) {
		const char *name = json_string_value(json_array_get(names, i));

		for (size_t arm = 0; name && arm < data->arm_count; arm++)
			if (report_arm_is(&data->arms[arm], server, name))
				return arm;
	}
	while (!is_of_server(data, first, server))
		first++;
	return first;
}

/* NAME of NAME_again, if it was run. */
static bool find_same(const struct report_data *data, size_t arm, size_t *ret)
{
	static const char again[] = "_again";
	const char *name = data->arms[arm].strategy;
	size_t length = strlen(name), end = strlen(again);

	if (length <= end || strcmp(name + length - end, again) != 0)
		return false;
	for (size_t i = 0; i < data->arm_count; i++) {
		const char *other = data->arms[i].strategy;

		if (!is_of_server(data, i, data->arms[arm].server) ||
		    strlen(other) != length - end || strncmp(other, name, length - end) != 0)
			continue;
		*ret = i;
		return true;
	}
	return false;
}

bool paired_with(const struct report_data *data, size_t arm, size_t *ret, bool *ret_is_noise)
{
	size_t other;

	*ret_is_noise = find_same(data, arm, &other);
	if (!*ret_is_noise)
		other = first_of(data, data->arms[arm].server);
	*ret = other;
	return other != arm;
}

/* The number of the row's block; 0: it has none. */
static size_t block_of(const struct csvtable *blocks, size_t row)
{
	double block;

	return csvtable_number(blocks, row, "block", &block) && block >= 1 && block <= 1e6
		       ? (size_t)block
		       : 0;
}

static size_t count_blocks(const struct csvtable *blocks)
{
	size_t most = 0;

	for (size_t row = 0; row < blocks->row_count; row++)
		most = block_of(blocks, row) > most ? block_of(blocks, row) : most;
	return most;
}

/* values[block - 1]; NaN: not known. */
static void read_values(const struct report_data *data, size_t arm, size_t peer, const char *column,
			double *values, size_t count)
{
	const struct csvtable *blocks = &data->blocks;

	for (size_t i = 0; i < count; i++)
		values[i] = NAN;
	for (size_t row = 0; row < blocks->row_count; row++) {
		size_t block = block_of(blocks, row);
		double value;

		if (block && !strcmp(csvtable_text(blocks, row, "peer"), data->peers[peer]) &&
		    report_arm_is(&data->arms[arm], csvtable_text(blocks, row, "server"),
				  csvtable_text(blocks, row, "strategy")) &&
		    csvtable_number(blocks, row, column, &value))
			values[block - 1] = value;
	}
}

static int add_ratios(struct sample *ratios, const double *values, const double *others,
		      size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!isnan(values[i]) && others[i] > 0 && sample_add(ratios, values[i] / others[i]))
			return -ENOMEM;
	return 0;
}

int paired_read(const struct report_data *data, size_t arm, size_t peer, const char *column,
		struct paired *ret)
{
	size_t count = count_blocks(&data->blocks);
	double *values = calloc(2 * count + 1, sizeof(*values));
	struct paired paired = { 0 };
	int error = -ENOMEM;

	paired_with(data, arm, &paired.of, &paired.is_noise);
	if (values) {
		read_values(data, arm, peer, column, values, count);
		read_values(data, paired.of, peer, column, values + count, count);
		error = add_ratios(&paired.ratios, values, values + count, count);
	}
	free(values);
	if (error) {
		paired_free(&paired);
		return error;
	}
	sample_median(&paired.ratios, &paired.median);
	paired.has_interval = sample_median_interval(&paired.ratios, &paired.low, &paired.high);
	*ret = paired;
	return 0;
}

void paired_free(struct paired *paired)
{
	sample_free(&paired->ratios);
}

double paired_reach(const struct paired *noise)
{
	return noise->has_interval && noise->low > 0 ? fmax(1 / noise->low, noise->high) : 1;
}

enum paired_finding paired_judge(const struct paired *paired, double noise)
{
	double median = paired->median;

	if (!paired->ratios.count)
		return PAIRED_UNKNOWN;
	if (!paired->has_interval)
		return PAIRED_TOO_FEW;
	if (paired->is_noise)
		return PAIRED_NOISE;
	if (paired->low <= 1 && paired->high >= 1)
		return PAIRED_INCONCLUSIVE;
	if (median <= noise && median >= 1 / noise)
		return PAIRED_WITHIN_NOISE;
	return median < 1 ? PAIRED_LOWER : PAIRED_HIGHER;
}
