/* SPDX-License-Identifier: MIT */
/* report.html: one file that opens from disk, drawn from run.json, summary.csv and connections.csv
 * alone. */
#ifndef LINGERBENCH_REPORT_H
#define LINGERBENCH_REPORT_H

/* Writes FOLDER/report.html. 0; -EBADMSG: a file is not as this program writes it; another negative
 * errno. */
int report_write(const char *folder);

#endif
