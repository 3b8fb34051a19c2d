/* SPDX-License-Identifier: MIT */
#include "lingerbench/compare.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "lingerbench/comparison_text.h"
#include "lingerbench/conditions.h"

static int print(const struct compare_options *options, const struct runfolder *a,
		 const struct runfolder *b, const struct comparisons *comparisons)
{
	json_t *conditions = conditions_differ(a->run, b->run);
	int error = 0;

	if (!conditions)
		return -ENOMEM;
	if (options->json)
		error = comparison_print_json(a, b, conditions, comparisons);
	else
		comparison_print(a, b, conditions, comparisons);
	json_decref(conditions);
	if (!error && fflush(stdout))
		error = -errno;
	return error;
}

/* To say that there is no difference takes that one could have been seen. */
static bool is_compared(const struct comparisons *comparisons)
{
	for (size_t i = 0; i < comparisons->count; i++)
		if (comparison_has_difference(&comparisons->list[i]))
			return true;
	return false;
}

static enum compare_status compare_folders(const struct compare_options *options,
					   const struct runfolder *a, const struct runfolder *b)
{
	struct comparisons comparisons = { 0 };
	enum compare_status status = COMPARE_SAME;
	int error = comparisons_make(&comparisons, &a->blocks, &b->blocks, options->margin);

	if (!error)
		error = print(options, a, b, &comparisons);
	if (error) {
		log_error("cannot compare: %s", strerror(-error));
		status = COMPARE_FAILED;
	} else if (comparisons.found) {
		status = COMPARE_DIFFERENT;
	} else if (!is_compared(&comparisons)) {
		log_error(comparisons.count
				  ? "%s and %s have too few blocks to be compared; run both with "
				    "--set load.blocks=10"
				  : "%s and %s have no strategy and peer in common",
			  options->a, options->b);
		status = COMPARE_FAILED;
	}
	comparisons_free(&comparisons);
	return status;
}

enum compare_status compare(const struct compare_options *options)
{
	struct runfolder a, b;
	enum compare_status status = COMPARE_FAILED;

	if (runfolder_open(&a, options->a))
		return COMPARE_FAILED;
	if (!runfolder_open(&b, options->b)) {
		status = compare_folders(options, &a, &b);
		runfolder_close(&b);
	}
	runfolder_close(&a);
	return status;
}
