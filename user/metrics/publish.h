/* SPDX-License-Identifier: MIT */
/* Publishes metrics at one target, whatever it is: an endpoint that is asked, or a file written again and again. */
#ifndef METRICS_PUBLISH_H
#define METRICS_PUBLISH_H

#include "metrics/http.h"

struct metrics_publisher;

/*
 * Listens, or writes the file for the first time. The file is replaced as a whole (PATH.tmp, rename), every
 * five seconds and at the end, and stays. A name that ends in ".prom", which node_exporter's collector of
 * text files asks for, gets the form that it reads, METRICS_PROMETHEUS; others get OpenMetrics.
 * target->path must outlive it. 0, or a negative errno with one line in error[].
 */
int metrics_publisher_open(struct metrics_publisher **ret, const struct metrics_target *target,
			   metrics_write_fn *write, void *context, char *error, size_t error_size);

/* Where they are, for people. */
const char *metrics_publisher_place(const struct metrics_publisher *publisher);

/*
 * Serves who has asked, or writes the file when it is time; waits for nobody but the disk. To be called at
 * least each second. 0, or the negative errno of writing the file.
 */
int metrics_publisher_run(struct metrics_publisher *publisher);

/* Writes a file for the last time. 0 or its negative errno. An endpoint goes on with metrics_publisher_run(). */
int metrics_publisher_finish(struct metrics_publisher *publisher);

/* Ends and frees; NULL is allowed. */
void metrics_publisher_close(struct metrics_publisher *publisher);

#endif
