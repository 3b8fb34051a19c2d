/* SPDX-License-Identifier: MIT */
/* `lingerbench run`: a scenario from its file to its results. */
#ifndef LINGERBENCH_RUN_H
#define LINGERBENCH_RUN_H

#include <stdbool.h>
#include <stddef.h>

enum run_status {
	RUN_DONE = 0,
	RUN_FAILED = 1,
	RUN_BAD_SCENARIO = 2,
	RUN_UNEXPECTED = 3, /* done, but an expectation does not hold */
	RUN_INTERRUPTED = 130,
};

struct run_options {
	const char *scenario;  /* name or path */
	const char *out;       /* folder for the results */
	const char **settings; /* SECTION.KEY=VALUE */
	size_t setting_count;
	bool dry_run;
	const char *command; /* the command line, for run.json */
};

enum run_status run(const struct run_options *options);

#endif
