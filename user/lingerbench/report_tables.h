/* SPDX-License-Identifier: MIT */
#ifndef LINGERBENCH_REPORT_TABLES_H
#define LINGERBENCH_REPORT_TABLES_H

#include <stdio.h>

#include "lingerbench/report_data.h"

/* The table of strategies, peer by peer. */
void report_verdict(FILE *out, const struct report_data *data);

/* Who came, of an open loop; nothing of a closed one. */
void report_arrivals(FILE *out, const struct report_data *data);

#endif
