/* SPDX-License-Identifier: MIT */
/* report.html: one file that opens from disk, drawn from run.json and the CSV files beside it alone. */
#ifndef LINGERBENCH_REPORT_H
#define LINGERBENCH_REPORT_H

/* Writes FOLDER/report.html. 0 or a negative errno; what is wrong has been logged in one line. */
int report_write(const char *folder);

#endif
