/* SPDX-License-Identifier: MIT */
/* What a reader of the results must know: said on stderr at once, kept for run.json and the report.
 */
#ifndef LINGERBENCH_WARNINGS_H
#define LINGERBENCH_WARNINGS_H

#include <stddef.h>

enum { WARNINGS_MAX = 64, WARNING_BYTES = 256 };

struct warnings {
	size_t count; /* all of them; only the first WARNINGS_MAX are kept */
	char texts[WARNINGS_MAX][WARNING_BYTES];
};

__attribute__((format(printf, 2, 3))) void warnings_add(struct warnings *warnings,
							const char *format, ...);

#endif
