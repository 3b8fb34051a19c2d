/* SPDX-License-Identifier: MIT */
/* The words of the report, from run.json: what to weigh the figures by. */
#ifndef LINGERBENCH_REPORT_CONDITIONS_H
#define LINGERBENCH_REPORT_CONDITIONS_H

#include <jansson.h>
#include <stdio.h>

/* Nothing, where there are none. */
void report_warnings(FILE *out, const json_t *run);

/* The command that repeats the run, and where it was run and how. */
void report_conditions(FILE *out, const json_t *run);

/* A text of an object; "" where there is none. */
const char *report_text(const json_t *object, const char *key);

#endif
