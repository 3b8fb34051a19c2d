/* SPDX-License-Identifier: MIT */
/*
 * What report.html is drawn from: the files of a folder, and in what they are laid out. An arm is a strategy of a server, and has
 * a row of the summary under each peer (none, where all of its trials were void).
 */
#ifndef LINGERBENCH_REPORT_DATA_H
#define LINGERBENCH_REPORT_DATA_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "lingerbench/csvtable.h"
#include "lingerbench/sample.h"

/* Points into the summary. */
struct report_arm {
	const char *server;
	const char *strategy;
};

struct report_data {
	json_t *run; /* run.json */
	struct csvtable summary;
	struct csvtable blocks;
	struct csvtable connections;
	struct report_arm *arms; /* in the summary's order, as are the peers */
	size_t arm_count;
	const char **peers;
	size_t peer_count;
	bool many_servers;
};

/* 0 or a negative errno, which has been logged in one line. */
int report_data_read(struct report_data *ret, const char *folder);
void report_data_free(struct report_data *data);

/* The arm's row of the summary under the peer. False: there is none. */
bool report_data_row(const struct report_data *data, size_t arm, size_t peer, size_t *ret);

/* What an arm is called: its server is told where there is more than one. */
struct report_name {
	char text[128];
};

struct report_name report_data_name(const struct report_data *data, size_t arm);

/* Whether the row of a table is the arm's. */
bool report_arm_is(const struct report_arm *arm, const char *server, const char *strategy);

/*
 * The measured connections' values of a column, in one pass: arm after arm, of each one sample per peer. The caller lets go of
 * them. NULL: no memory.
 */
struct sample *report_data_samples(const struct report_data *data, const char *column);
void report_data_free_samples(const struct report_data *data, struct sample *samples);

#endif
