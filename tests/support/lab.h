/* SPDX-License-Identifier: MIT */
/* lingerbench run for real, in a folder of its own. Calls fail the test on errors of their own. */
#ifndef TEST_LAB_H
#define TEST_LAB_H

#include "lingerbench/csvtable.h"
#include "tests/support/process.h"

struct lab {
	char folder[256];
	struct process process;
};

/* Starts `lingerbench run quick --out FOLDER` with these settings, up to a NULL. Its scratch folder
 * is in FOLDER, too: other runs may have theirs in $TMPDIR. */
void lab_start(struct lab *lab, const char *const settings[]);
/* Ends what is left of it and removes the folder. */
void lab_clean_up(struct lab *lab);

/* Path of a file of the run's results, by the link `latest`; static storage. */
const char *lab_result(const struct lab *lab, const char *file);
/* The only row of summary.csv for a strategy and a peer: a figure of it. */
double lab_figure(const struct lab *lab, const char *strategy, const char *peer,
		  const char *column);

/* Whether this process may use io_uring as the lab's strategy does: kernels may be too old, containers may forbid it. */
bool lab_has_io_uring(void);

/* A child or grandchild of the process with that name (as in /proc/PID/comm); 0: there is none. */
pid_t find_descendant(pid_t ancestor, const char *name);
/* Processes that descend from it. */
int count_descendants(pid_t ancestor);

#endif
