/* SPDX-License-Identifier: MIT */
/* lingerbench compare: two folders of results, and whether they differ. */
#ifndef LINGERBENCH_COMPARE_H
#define LINGERBENCH_COMPARE_H

#include <stdbool.h>

enum compare_status {
	COMPARE_SAME = 0, /* no difference found */
	COMPARE_FAILED = 1,
	COMPARE_DIFFERENT = 4,
};

struct compare_options {
	const char *a;
	const char *b;
	double margin; /* 0.05: 5 % */
	bool json;
};

/* Prints on stdout what it found; why it failed has been logged. */
enum compare_status compare(const struct compare_options *options);

#endif
